package smallfile

import "crypto/tls"

// KeyPair is tls.LoadX509KeyPair by way of Read.
func KeyPair(cert, key string) (tls.Certificate, error) {
	certPEM, err := Read(cert)
	if err != nil {
		return tls.Certificate{}, err
	}
	keyPEM, err := Read(key)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.X509KeyPair(certPEM, keyPEM)
}
