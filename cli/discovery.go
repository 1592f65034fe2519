package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/urfave/cli/v3"
)

// discoveryCommand has subcommands, of which the flag library shows the flags
// of a decision as well, whatever the template is, unless they are hidden. So
// they are, and the help and the completion list them by themselves.
func (a *app) discoveryCommand() *cli.Command {
	c := a.apart(&cli.Command{
		Name:          "discovery",
		Usage:         "the self-hosted discovery service, and what is registered",
		UsageText:     "elastic-etcd discovery COMMAND [options]",
		Commands:      []*cli.Command{a.discoveryServe(), a.discoveryNew(), a.discoveryShow(), a.discoveryGC()},
		Action:        discoveryAlone,
		ShellComplete: completeHidden,
	})
	for _, sub := range c.Commands {
		sub.Hidden = true
	}
	c.CustomHelpTemplate = strings.NewReplacer("{{if .VisibleCommands}}", "{{if .Commands}}", `{{template "visibleCommandTemplate" .}}`, hiddenCommands).Replace(c.CustomHelpTemplate)
	return c
}

// hiddenCommands is the part of a help template that lists them.
const hiddenCommands = `{{range .Commands}}{{if ne .Name "help"}}
   {{.Name}}{{"\t"}}{{.Usage}}{{end}}{{end}}`

func completeHidden(_ context.Context, c *cli.Command) {
	for _, sub := range c.Commands {
		fmt.Fprintln(c.Root().Writer, sub.Name)
	}
}

// discoveryAlone is for whoever names no subcommand.
func discoveryAlone(_ context.Context, c *cli.Command) error {
	var names []string
	for _, sub := range c.Commands {
		if sub.Name != "help" {
			names = append(names, sub.Name)
		}
	}
	if c.Args().Present() {
		return usagef("%q is not a command of %s (there are: %s)", c.Args().First(), c.FullName(), strings.Join(names, ", "))
	}
	return usagef("elastic-etcd discovery needs a command: %s", strings.Join(names, " or "))
}
