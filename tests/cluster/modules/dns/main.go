// The cluster's DNS server: CoreDNS with only the plugins that tests/cluster/dns.py configures.
package main

import (
	"slices"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"

	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/forward"
	_ "github.com/coredns/coredns/plugin/kubernetes"
)

// A query passes the plugins in this order: answers are cached, names of the cluster come before everyone else's.
var order = []string{"bind", "errors", "cache", "kubernetes", "forward"}

func main() {
	dnsserver.Directives = slices.Clone(order)
	coremain.Run()
}
