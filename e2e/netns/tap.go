package netns

import (
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

const device = "tap0"

// mtu makes few frames of etcd's traffic: each costs a switch of context.
const mtu = 9000

// openTap makes a network card in the namespace; what is sent on it is read
// from the file, and the other way round.
func openTap(n *Namespace) (tap *os.File, mac net.HardwareAddr, err error) {
	err = n.Do(func() error {
		fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
		if err != nil {
			return fmt.Errorf("open a network card: %w", err)
		}
		request, _ := unix.NewIfreq(device)
		request.SetUint16(unix.IFF_TAP | unix.IFF_NO_PI)
		if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, request); err != nil {
			unix.Close(fd)
			return fmt.Errorf("make a network card: %w", err)
		}
		tap = os.NewFile(uintptr(fd), device)
		mac, err = hardwareAddress()
		return err
	})
	return tap, mac, err
}

func hardwareAddress() (net.HardwareAddr, error) {
	card, err := net.InterfaceByName(device)
	if err != nil {
		return nil, fmt.Errorf("find the network card: %w", err)
	}
	return card.HardwareAddr, nil
}
