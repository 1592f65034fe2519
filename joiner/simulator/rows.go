package simulator

import (
	_ "embed"
	"fmt"
	"strings"
)

//go:embed testdata/verdicts.txt
var verdictsTxt string

// Row is one line of testdata/verdicts.txt.
type Row struct {
	Line      int
	Situation []Step
	Operation Step
	Verdicts  map[Version]string
}

func (r Row) String() string {
	return fmt.Sprintf("line %d: %s | %s", r.Line, Steps(r.Situation), r.Operation)
}

// Rows reads testdata/verdicts.txt, and gives its versions in their order.
func Rows() (versions []Version, rows []Row, err error) { return parseRows(verdictsTxt) }

// parseRows takes the last comment before the first row that has columns for
// their head.
func parseRows(text string) (versions []Version, rows []Row, err error) {
	for i, line := range strings.Split(text, "\n") {
		cells := strings.Split(strings.TrimPrefix(line, "#"), "|")
		for k := range cells {
			cells[k] = strings.TrimSpace(cells[k])
		}
		switch {
		case len(cells) < 3:
			if cells[0] != "" && !strings.HasPrefix(line, "#") {
				return nil, nil, fmt.Errorf("line %d: no row: %q", i+1, line)
			}
			continue
		case strings.HasPrefix(line, "#"):
			versions, err = parseVersions(cells[2:])
		default:
			rows, err = appendRow(rows, i+1, versions, cells)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("line %d: %w", i+1, err)
		}
	}
	return versions, rows, nil
}

func parseVersions(cells []string) (versions []Version, err error) {
	for _, c := range cells {
		v, err := ParseVersion(c)
		if err != nil {
			return nil, err
		}
		versions = append(versions, v)
	}
	return versions, nil
}

func appendRow(rows []Row, line int, versions []Version, cells []string) ([]Row, error) {
	if len(cells) != 2+len(versions) {
		return nil, fmt.Errorf("%d columns, want %d", len(cells), 2+len(versions))
	}
	situation, err := ParseSteps(cells[0])
	if err != nil {
		return nil, err
	}
	operation, err := ParseStep(cells[1])
	if err != nil {
		return nil, err
	}
	r := Row{Line: line, Situation: situation, Operation: operation, Verdicts: map[Version]string{}}
	for i, v := range versions {
		r.Verdicts[v] = cells[2+i]
	}
	return append(rows, r), nil
}
