// Package cli is the command line: flags become settings, settings become
// adapters, and the joiner's last plan becomes output and an exit code.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/sttts/elastic-etcd/joiner"
)

// Exit codes besides those a plan ends in. docs/exit-codes.md has them all.
const (
	exitUnexpected = 1
	exitUsage      = 2

	// exitFragile is the code of a cluster that serves, and loses its quorum
	// with the next voter that fails.
	exitFragile = 3

	// exitGate is the code of an ExecCondition= that lets the unit fail, so
	// that its Restart= tries again, instead of skipping it.
	exitGate = 255
)

// app is one run of the command line.
type app struct {
	args    []string
	environ environment
	stdout  io.Writer
	stderr  io.Writer
}

// Run runs one command line, program name included, and returns the exit
// code. Our variables are those of environ. Standard output gets the artefact,
// whole, or nothing.
func Run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) int {
	a := &app{args: args, environ: environ, stdout: stdout, stderr: stderr}
	err := a.root().Run(ctx, multiCall(args))
	if err == nil {
		return 0
	}
	var failed *failure
	if !errors.As(err, &failed) {
		failed = usage(err) // the flag library has no other errors
	}
	fmt.Fprint(stderr, failed.lines())
	if ctx.Err() != nil && failed.code == exitUnexpected {
		return joiner.ExitNotNow // a signal ended it, and for systemd that is no failure
	}
	return failed.code
}

// multiCall makes the name under which systemd calls a generator a command.
func multiCall(args []string) []string {
	if len(args) > 0 && filepath.Base(args[0]) == GeneratorName {
		return append([]string{"elastic-etcd", "generator"}, args[1:]...)
	}
	return args
}

// failure is an error that ends the run with an exit code. A plan that was
// reported already has no message.
type failure struct {
	code int
	err  error
}

func (f *failure) Error() string {
	if f.err == nil {
		return fmt.Sprintf("exit code %d", f.code)
	}
	return f.err.Error()
}

func (f *failure) Unwrap() error { return f.err }

func (f *failure) lines() string {
	if f.err == nil {
		return ""
	}
	return "elastic-etcd: " + printable(strings.TrimSuffix(f.err.Error(), "\n")) + "\n"
}

// usage turns an error of the flag library into a sentence of ours.
func usage(err error) *failure {
	text := strings.Replace(err.Error(), "flag provided but not defined: ", "there is no flag ", 1)
	text = strings.Replace(text, "flag needs an argument: ", "a value is missing after ", 1)
	if before, _, found := strings.Cut(text, ": strconv."); found {
		text = before + ": want a whole number"
	}
	if before, _, found := strings.Cut(text, ": time: "); found {
		text = before + ": want a duration such as 90s or 5m"
	}
	hint := "elastic-etcd --help lists what there is"
	if text == "there is no flag -version" {
		hint = "elastic-etcd version prints it"
	}
	return &failure{exitUsage, fmt.Errorf("%s (%s)", text, hint)}
}

func usagef(format string, args ...any) *failure {
	return &failure{exitUsage, fmt.Errorf(format, args...)}
}

func unexpected(err error) *failure { return &failure{exitUnexpected, err} }

func (a *app) root() *cli.Command {
	root := a.command(&cli.Command{
		Name:        "elastic-etcd",
		Usage:       "auto join a cluster, either during bootstrapping or later",
		UsageText:   "elastic-etcd [global options] [command [command options]]",
		Description: description,
		Flags:       append(a.printFlags(), append(a.decisionFlags(), loggingFlags()...)...),
		Action:      a.decideAndPrint,
		Commands:    []*cli.Command{a.planCommand(), a.applyCommand(), a.promoteCommand(), a.leaveCommand(), a.statusCommand(), a.discoveryCommand(), a.generatorCommand(), a.refuseCommand(), a.versionCommand()},

		HideVersion:           true, // -v is the log level
		EnableShellCompletion: true,
		Suggest:               false,
	})
	root.ConfigureShellCompletionCommand = func(c *cli.Command) {
		c.Hidden = false
		c.Usage = "prints a completion script: bash, zsh, fish or pwsh"
	}
	return root
}

// command gives a command what all of them share: our streams, and errors
// that are ours to print, without the help page over them.
func (a *app) command(c *cli.Command) *cli.Command {
	c.Writer, c.ErrWriter = a.stdout, a.stderr
	c.ExitErrHandler = func(context.Context, *cli.Command, error) {}
	c.OnUsageError = func(_ context.Context, _ *cli.Command, err error, _ bool) error { return err }
	return c
}

// apart is a command that has nothing to do with a decision: its help does
// not list the flags of one.
func (a *app) apart(c *cli.Command) *cli.Command {
	template := cli.CommandHelpTemplate
	if len(c.Commands) > 0 {
		template = cli.SubcommandHelpTemplate
	}
	template, _, _ = strings.Cut(template, "{{if .VisiblePersistentFlags}}")
	c.CustomHelpTemplate = strings.TrimSpace(template) + "\n"
	return a.command(c)
}

// noArguments refuses words that are not a command.
func noArguments(c *cli.Command) error {
	if !c.Args().Present() {
		return nil
	}
	return usagef("%q is not a command of %s (there are: %s)", c.Args().First(), c.FullName(), strings.Join(commandNames(c), ", "))
}

func commandNames(c *cli.Command) []string {
	names := []string{"help"}
	for _, sub := range c.Commands {
		if !sub.Hidden && sub.Name != "help" {
			names = append(names, sub.Name)
		}
	}
	return names
}

const description = `Looks at a discovery service and at the live cluster, adds this host as a
member where that is safe, and prints the configuration that etcd needs to
found, join or resume: on standard output, or nothing. Logs go to standard
error.

Exit codes: 0 done; 1 unexpected; 2 wrong usage; 3 no failure tolerance left
(status only); 6 not configured; 75 not now, safe to retry; 78 needs a human.
docs/exit-codes.md says more.

  FLAGS=$(elastic-etcd -o flags -name=n1 -discovery=URL \
         -initial-advertise-peer-urls=http://10.0.0.1:2380) || exit
  exec etcd $FLAGS ...`
