package generator

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/coreos/go-systemd/v22/dbus"
	godbus "github.com/godbus/dbus/v5"
)

// managerTimeout bounds one conversation with systemd. A reload takes 0.1 s,
// or as long as the slowest generator of the host.
const managerTimeout = 100 * time.Second

// Manager is a connection to systemd.
type Manager struct{ conn *dbus.Conn }

// Connect reaches systemd over the system bus, or over PID 1's private socket
// where there is no bus (yet): early at boot, or in a unit that may not use it.
func Connect(ctx context.Context) (*Manager, error) {
	conn, err := dbus.NewSystemConnectionContext(ctx)
	if err == nil {
		return &Manager{conn}, nil
	}
	conn, private := dbus.NewSystemdConnectionContext(ctx)
	if private != nil {
		return nil, fmt.Errorf("connect to systemd: %w; %w", err, private)
	}
	return &Manager{conn}, nil
}

// Close ends the connection.
func (m *Manager) Close() { m.conn.Close() }

// ErrRateLimited says that systemd refused a reload because there were too
// many of them (ReloadLimitBurst=, systemd 253 and later). A later one may
// succeed.
var ErrRateLimited = errors.New("systemd's rate limit of reloads is reached")

// Reload makes systemd read all units anew, as systemctl daemon-reload does.
func (m *Manager) Reload(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, managerTimeout)
	defer cancel()
	err := m.conn.ReloadContext(ctx)
	var bus godbus.Error
	if errors.As(err, &bus) && bus.Name == "org.freedesktop.DBus.Error.LimitsExceeded" {
		return fmt.Errorf("reload systemd: %w", ErrRateLimited)
	}
	if err != nil {
		return fmt.Errorf("reload systemd: %w", err)
	}
	return nil
}

// Unit reads how systemd would start a service now.
func (m *Manager) Unit(ctx context.Context, name string) (Unit, error) {
	ctx, cancel := context.WithTimeout(ctx, managerTimeout)
	defer cancel()
	props, err := m.conn.GetAllPropertiesContext(ctx, name)
	if err != nil {
		return Unit{}, fmt.Errorf("ask systemd about %s: %w", name, err)
	}
	return readUnit(name, props), nil
}

// Stopping tells whether systemd is stopping the unit of this process now. It
// is for a command that was interrupted: nothing can come of asking but a
// better exit code, so what goes wrong is a no, and it does not take long.
func Stopping() bool {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	m, err := Connect(ctx)
	if err != nil {
		return false
	}
	defer m.Close()
	name, err := m.conn.GetUnitNameByPID(ctx, uint32(os.Getpid()))
	if err != nil {
		return false
	}
	props, err := m.conn.GetUnitPropertiesContext(ctx, name)
	return err == nil && props["ActiveState"] == "deactivating"
}
