// What tests of the cluster run as a pod: it says who it is, and does inside the pod what it is asked over HTTP.
package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"time"
)

var client = http.Client{Timeout: 2 * time.Second}

func who(w http.ResponseWriter, _ *http.Request) {
	name, _ := os.Hostname()
	fmt.Fprint(w, name)
}

// fetch gets a URL from inside the pod: it shows DNS and the network between pods.
func fetch(w http.ResponseWriter, r *http.Request) {
	answer, err := client.Get(r.URL.Query().Get("url"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer answer.Body.Close()
	io.Copy(w, answer.Body)
}

// file writes the request's body to a path (PUT), or answers with what the path holds (GET).
func file(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Query().Get("path")
	var err error
	if r.Method == http.MethodPut {
		var content []byte
		if content, err = io.ReadAll(r.Body); err == nil {
			err = os.WriteFile(path, content, 0o600)
		}
	} else {
		var content []byte
		if content, err = os.ReadFile(path); err == nil {
			w.Write(content)
		}
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

func main() {
	http.HandleFunc("/who", who)
	http.HandleFunc("/fetch", fetch)
	http.HandleFunc("/file", file)
	log.Fatal(http.ListenAndServe(":8080", nil))
}
