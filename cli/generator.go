package cli

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/urfave/cli/v3"

	"github.com/sttts/elastic-etcd/generator"
	"github.com/sttts/elastic-etcd/joiner"
)

// GeneratorName is the name under which systemd calls this binary as a
// generator.
const GeneratorName = "elastic-etcd-generator"

func (a *app) generatorCommand() *cli.Command {
	return a.apart(&cli.Command{
		Name:      "generator",
		Usage:     "wires etcd's unit; systemd calls it at boot and at every reload",
		UsageText: "elastic-etcd generator [--root DIR] NORMAL [EARLY LATE]",
		Description: `Reads /etc/elastic-etcd/elastic-etcd.conf and elastic-etcd.conf.d/*.conf there,
below /run and /usr/lib as well, and elastic_etcd.FLAG=VALUE on the kernel
command line, and writes a drop-in for the unit into the directory NORMAL.
Without a configuration it writes nothing. Messages go to the kernel's log.`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "root", Usage: "read the configuration below this `directory`"},
			&cli.StringFlag{Name: "binary", Usage: "the `file` that the unit is to call (default: this one)"},
		},
		Action: a.generate,
	})
}

func (a *app) generate(_ context.Context, c *cli.Command) error {
	if n := c.Args().Len(); n != 1 && n != 3 {
		return usagef("elastic-etcd generator takes one directory or three, not %d", n)
	}
	binary := c.String("binary")
	if binary == "" {
		var err error
		if binary, err = os.Executable(); err != nil {
			return unexpected(err)
		}
	}
	err := generator.Generate(generator.Host{Root: c.String("root"), Binary: binary, Environ: a.environ}, c.Args().First())
	if err != nil {
		toKernelLog(err)
		return unexpected(err)
	}
	return nil
}

// toKernelLog writes where a generator's words can be read: its standard
// error is /dev/null. That it may fail is no matter.
func toKernelLog(err error) {
	f, openErr := os.OpenFile("/dev/kmsg", os.O_WRONLY, 0)
	if openErr != nil {
		return
	}
	defer f.Close()
	fmt.Fprintf(f, "<3>%s[%d]: %s\n", GeneratorName, os.Getpid(), printable(err.Error()))
}

// refuseCommand is what a generator wires in the place of a bad
// configuration: it says why, and keeps etcd down.
func (a *app) refuseCommand() *cli.Command {
	return a.apart(&cli.Command{
		Name:   "refuse",
		Hidden: true,
		Action: func(_ context.Context, c *cli.Command) error {
			why := "the configuration is bad: " + c.Args().First()
			notify("STATUS=refused: " + why)
			return &failure{joiner.ExitNeedsHuman, errors.New(why)}
		},
	})
}
