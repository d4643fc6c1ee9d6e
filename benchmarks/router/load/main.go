// Command load is both ends of the router's benchmark.
//
//	load serve ADDRESS             a runtime that has nothing to do: it takes an upload and answers at once
//	load call  URL [-body FILE]    callers in closed loops; prints one line of JSON with their latencies
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"
)

const answer = `{"text":"And so my fellow Americans, ask not what your country can do for you","language":"en"}`

func main() {
	if len(os.Args) < 3 {
		fail(fmt.Errorf("usage: load serve ADDRESS | load call URL [-body FILE] [-callers N] [-seconds S]"))
	}
	if os.Args[1] == "serve" {
		fail(http.ListenAndServe(os.Args[2], http.HandlerFunc(serve)))
	}
	call(os.Args[2], os.Args[3:])
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func serve(to http.ResponseWriter, request *http.Request) {
	if _, err := io.Copy(io.Discard, request.Body); err != nil {
		return
	}
	to.Header().Set("Content-Type", "application/json")
	to.Header().Set("x-whisper-runtime", "cpu")
	io.WriteString(to, answer)
}

// caller is one connection: it sends its next request when the last one is answered.
type caller struct {
	client *http.Client
	url    string
	body   []byte
	took   []time.Duration
	failed int
}

func (c *caller) send() error {
	method, body := http.MethodGet, io.Reader(http.NoBody)
	if c.body != nil {
		method, body = http.MethodPost, bytes.NewReader(c.body)
	}
	request, err := http.NewRequest(method, c.url, body)
	if err != nil {
		return err
	}
	response, err := c.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", response.StatusCode)
	}
	return nil
}

func (c *caller) run(begin, end time.Time) {
	for time.Now().Before(end) {
		at := time.Now()
		err := c.send()
		switch {
		case at.Before(begin): // warming up
		case err != nil:
			c.failed++
		default:
			c.took = append(c.took, time.Since(at))
		}
	}
}

func call(url string, arguments []string) {
	flags := flag.NewFlagSet("call", flag.ExitOnError)
	file := flags.String("body", "", "file to upload; without one a GET")
	callers := flags.Int("callers", 1, "callers at the same time")
	seconds := flags.Float64("seconds", 2, "how long to call, after a tenth of it to warm up")
	flags.Parse(arguments)
	var body []byte
	if *file != "" {
		var err error
		if body, err = os.ReadFile(*file); err != nil {
			fail(err)
		}
	}
	long := time.Duration(*seconds * float64(time.Second))
	begin := time.Now().Add(long / 10)
	all := make([]*caller, *callers)
	var done sync.WaitGroup
	for i := range all {
		all[i] = &caller{client: &http.Client{Transport: &http.Transport{}}, url: url, body: body}
		done.Go(func() { all[i].run(begin, begin.Add(long)) })
	}
	done.Wait()
	report(all, long)
}

func report(all []*caller, long time.Duration) {
	var took []time.Duration
	failed := 0
	for _, one := range all {
		took, failed = append(took, one.took...), failed+one.failed
	}
	if len(took) == 0 {
		fail(fmt.Errorf("no request was answered, %d failed", failed))
	}
	slices.Sort(took)
	at := func(share float64) float64 {
		return took[min(len(took)-1, int(share*float64(len(took))))].Seconds() * 1000
	}
	json.NewEncoder(os.Stdout).Encode(map[string]any{
		"p50_ms":              at(0.50),
		"p99_ms":              at(0.99),
		"requests_per_second": float64(len(took)) / long.Seconds(),
		"answered":            len(took),
		"failed":              failed,
	})
}
