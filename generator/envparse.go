package generator

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// envParser reads an EnvironmentFile= byte by byte, through the same states as
// systemd: what looks odd here is odd there.
type envParser struct {
	state envState
	name  []byte
	value []byte
	// blanks is how many bytes at the value's end are white space that nothing
	// protects: they are dropped if the line ends there.
	blanks int
	// joined is for systemd before version 254, where a backslash at the end
	// of a comment makes the next line a comment as well.
	joined bool
	found  []variable
}

// variable is one assignment, in the order of the file.
type variable struct{ name, value string }

type envState int

const (
	beforeName envState = iota
	inName
	beforeValue // or after a closed quote: more may follow
	inValue
	inValueEscape
	inSingleQuotes
	inDoubleQuotes
	inDoubleQuotesEscape
	inComment
	inCommentEscape
)

// envStates says what a byte does in each state, and which comes next.
var envStates = [...]func(*envParser, byte) envState{
	beforeName:           (*envParser).beforeName,
	inName:               (*envParser).inName,
	beforeValue:          (*envParser).beforeValue,
	inValue:              (*envParser).inValue,
	inValueEscape:        (*envParser).inValueEscape,
	inSingleQuotes:       (*envParser).inSingleQuotes,
	inDoubleQuotes:       (*envParser).inDoubleQuotes,
	inDoubleQuotesEscape: (*envParser).inDoubleQuotesEscape,
	inComment:            (*envParser).inComment,
	inCommentEscape:      (*envParser).inCommentEscape,
}

func (p *envParser) read(text string) {
	for i := range len(text) {
		p.state = envStates[p.state](p, text[i])
	}
}

// end is the end of the file: a value that is still open counts, a name
// without a value does not.
func (p *envParser) end() {
	switch p.state {
	case beforeName, inName, inComment, inCommentEscape:
	default:
		p.assign()
	}
}

func (p *envParser) assign() envState {
	p.found = append(p.found, variable{
		name:  string(bytes.TrimRight(p.name, " \t")),
		value: string(p.value[:len(p.value)-p.blanks]),
	})
	p.value, p.blanks = nil, 0
	return beforeName
}

// keep makes bytes part of the value, white space at the end included.
func (p *envParser) keep(next envState, c ...byte) envState {
	p.value, p.blanks = append(p.value, c...), 0
	return next
}

func (p *envParser) beforeName(c byte) envState {
	switch {
	case c == '#' || c == ';':
		return inComment
	case isBlank(c) || isNewline(c):
		return beforeName
	}
	p.name = []byte{c} // also a "="
	return inName
}

func (p *envParser) inName(c byte) envState {
	switch {
	case isNewline(c): // a line without "="
		return beforeName
	case c == '=':
		return beforeValue
	}
	p.name = append(p.name, c)
	return inName
}

func (p *envParser) beforeValue(c byte) envState {
	switch {
	case isNewline(c):
		return p.assign()
	case c == '\'':
		return inSingleQuotes
	case c == '"':
		return inDoubleQuotes
	case c == '\\':
		return inValueEscape
	case isBlank(c):
		return beforeValue
	}
	return p.keep(inValue, c)
}

// inValue takes quotes for what they are, unlike a shell.
func (p *envParser) inValue(c byte) envState {
	switch {
	case isNewline(c):
		return p.assign()
	case c == '\\':
		p.blanks = 0
		return inValueEscape
	case isBlank(c):
		p.value = append(p.value, c)
		p.blanks++
		return inValue
	}
	return p.keep(inValue, c)
}

func (p *envParser) inValueEscape(c byte) envState {
	if isNewline(c) {
		return inValue
	}
	return p.keep(inValue, c)
}

func (p *envParser) inSingleQuotes(c byte) envState {
	if c == '\'' {
		return beforeValue
	}
	return p.keep(inSingleQuotes, c)
}

func (p *envParser) inDoubleQuotes(c byte) envState {
	switch c {
	case '"':
		return beforeValue
	case '\\':
		return inDoubleQuotesEscape
	}
	return p.keep(inDoubleQuotes, c)
}

// inDoubleQuotesEscape eats a line feed, but no carriage return.
func (p *envParser) inDoubleQuotesEscape(c byte) envState {
	switch c {
	case '"', '\\', '`', '$':
		return p.keep(inDoubleQuotes, c)
	case '\n':
		return inDoubleQuotes
	}
	return p.keep(inDoubleQuotes, '\\', c)
}

func (p *envParser) inComment(c byte) envState {
	switch {
	case c == '\\':
		return inCommentEscape
	case isNewline(c):
		return beforeName
	}
	return inComment
}

func (p *envParser) inCommentEscape(c byte) envState {
	if isNewline(c) && !p.joined {
		return beforeName
	}
	return inComment
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

func isNewline(c byte) bool { return c == '\n' || c == '\r' }

// parseEnvFile gives what systemd takes from an EnvironmentFile=: nothing at
// all of a file that it refuses, and of a bad name only that is left out. For
// joined see envParser.
func parseEnvFile(text string, joined bool) map[string]string {
	p := envParser{joined: joined}
	p.read(text)
	p.end()
	if strings.Contains(text, "\x00") || !allText(p.found) {
		return nil
	}
	vars := map[string]string{}
	for _, v := range p.found {
		if isEnvName(v.name) {
			vars[v.name] = v.value
		}
	}
	return vars
}

func allText(found []variable) bool {
	for _, v := range found {
		if !isText(v.name) || !isText(v.value) {
			return false
		}
	}
	return true
}

// isText tells whether systemd takes a string for UTF-8. Noncharacters of
// Unicode it does not.
func isText(s string) bool {
	for _, r := range s {
		if r >= 0xFDD0 && r <= 0xFDEF || r&0xFFFE == 0xFFFE {
			return false
		}
	}
	return utf8.ValidString(s)
}

func isEnvName(s string) bool {
	for i, r := range s {
		letter := r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		digit := r >= '0' && r <= '9'
		if !letter && (!digit || i == 0) {
			return false
		}
	}
	return s != ""
}
