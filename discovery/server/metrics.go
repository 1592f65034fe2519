package server

import (
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are what /metrics shows. No label is a client's to choose.
type metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	handler  http.Handler
}

func newMetrics(waiting func() float64) metrics {
	r := prometheus.NewRegistry()
	m := metrics{requests: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "elastic_etcd_discovery_requests_total",
		Help: "Requests answered, by what they were about, the method and the status code.",
	}, []string{"what", "method", "code"}), seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "elastic_etcd_discovery_request_seconds",
		Help:    "Time that requests took, without long polls.",
		Buckets: prometheus.ExponentialBuckets(0.0005, 4, 8), // to 8 s
	}, []string{"what"})}
	r.MustRegister(m.requests, m.seconds, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "elastic_etcd_discovery_waiting_clients",
		Help: "Long polls under way.",
	}, waiting))
	m.handler = promhttp.HandlerFor(r, promhttp.HandlerOpts{})
	return m
}

func (m metrics) count(s Served) {
	m.requests.WithLabelValues(s.What, s.Method, strconv.Itoa(s.Code)).Inc()
	if !s.Polled {
		m.seconds.WithLabelValues(s.What).Observe(s.Took.Seconds())
	}
}

// knownMethod keeps the number of labels small: anybody can send any method.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPut, http.MethodPost, http.MethodDelete:
		return method
	}
	return "other"
}

// recorder remembers the status code of an answer, and whether it is one to a
// long poll.
type recorder struct {
	http.ResponseWriter
	code   int
	polled bool
}

// WriteHeader remembers the first code.
func (r *recorder) WriteHeader(code int) {
	if r.code == 0 {
		r.code = code
	}
	r.ResponseWriter.WriteHeader(code)
}

// Unwrap lets a ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// status is the code that was sent: 200 where nobody said another.
func (r *recorder) status() int {
	if r.code == 0 {
		return http.StatusOK
	}
	return r.code
}
