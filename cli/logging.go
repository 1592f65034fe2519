package cli

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"unicode"

	"github.com/sirupsen/logrus"
	"github.com/urfave/cli/v3"
)

// newLogger maps the logging flags onto logrus: -v 0 and 1 are info, 2 to 5
// debug, from 6 on trace. -log_dir copies the log into a file, and then
// -stderrthreshold says what still goes to standard error, as glog had it.
func newLogger(c *cli.Command, stderr io.Writer) (*logrus.Logger, error) {
	log := logrus.New()
	log.SetFormatter(lineFormatter{})
	if underJournal() {
		log.SetFormatter(journalFormatter{})
	}
	log.SetLevel(level(c.Int("v")))
	log.SetOutput(stderr)
	if dir := c.String("log_dir"); dir != "" {
		if err := logToFile(log, c, dir, stderr); err != nil {
			return nil, err
		}
	}
	for _, name := range []string{"vmodule", "log_backtrace_at"} {
		if c.IsSet(name) {
			log.Debugf("-%s has no meaning any more", name)
		}
	}
	return log, nil
}

// newServiceLogger logs for weeks, so a line has the date.
func newServiceLogger(c *cli.Command, stderr io.Writer) (*logrus.Logger, error) {
	log, err := newLogger(c, stderr)
	if err == nil && log.Formatter == (lineFormatter{}) { // the journal has it
		log.SetFormatter(lineFormatter{dated: true})
	}
	return log, err
}

func level(v int) logrus.Level {
	switch {
	case v >= 6:
		return logrus.TraceLevel
	case v >= 2:
		return logrus.DebugLevel
	}
	return logrus.InfoLevel
}

func logToFile(log *logrus.Logger, c *cli.Command, dir string, stderr io.Writer) error {
	f, err := os.OpenFile(filepath.Join(dir, "elastic-etcd.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY|syscall.O_NONBLOCK, 0o640)
	if err != nil {
		return usagef("-log_dir: %w", err)
	}
	threshold, err := severity(c.String("stderrthreshold"))
	if err != nil {
		return err
	}
	if c.Bool("logtostderr") || c.Bool("alsologtostderr") {
		threshold = logrus.TraceLevel
	}
	log.SetOutput(f)
	log.AddHook(&copyHook{to: stderr, from: threshold})
	return nil
}

// severity reads glog's: a number or a name.
func severity(s string) (logrus.Level, error) {
	switch strings.ToUpper(s) {
	case "0", "INFO":
		return logrus.InfoLevel, nil
	case "1", "WARNING":
		return logrus.WarnLevel, nil
	case "2", "ERROR":
		return logrus.ErrorLevel, nil
	case "3", "FATAL":
		return logrus.FatalLevel, nil
	}
	return 0, usagef("-stderrthreshold=%s is not one of INFO, WARNING, ERROR, FATAL or 0 to 3", s)
}

// copyHook writes what is severe enough a second time.
type copyHook struct {
	to   io.Writer
	from logrus.Level
}

// Levels are all from the threshold up.
func (h *copyHook) Levels() []logrus.Level { return logrus.AllLevels[:h.from+1] }

// Fire writes the entry.
func (h *copyHook) Fire(e *logrus.Entry) error {
	as, _ := e.Logger.Formatter.(lineFormatter)
	line, err := as.Format(e)
	if err != nil {
		return err
	}
	_, err = h.to.Write(line)
	return err
}

// lineFormatter writes one line an entry: time, level, message, fields. What
// came from outside cannot start a line of its own or hide one.
type lineFormatter struct{ dated bool }

// Format renders one entry.
func (f lineFormatter) Format(e *logrus.Entry) ([]byte, error) {
	layout := "15:04:05.000"
	if f.dated {
		layout = "2006-01-02T15:04:05.000Z07:00"
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %-7s %s", e.Time.Format(layout), e.Level, printable(e.Message))
	writeFields(&b, e.Data)
	return b.Bytes(), nil
}

// writeFields ends a line with its fields, sorted.
func writeFields(b *bytes.Buffer, fields logrus.Fields) {
	for _, k := range slices.Sorted(maps.Keys(fields)) {
		fmt.Fprintf(b, " %s=%s", k, printable(fmt.Sprint(fields[k])))
	}
	b.WriteByte('\n')
}

// printable escapes what a terminal or a log reader would act upon.
func printable(s string) string {
	var b strings.Builder
	for _, r := range s {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
			continue
		}
		quoted := strconv.QuoteRuneToASCII(r)
		b.WriteString(quoted[1 : len(quoted)-1])
	}
	return b.String()
}
