package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/httpstream"
	"k8s.io/apimachinery/pkg/util/httpstream/spdy"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
)

// An API server that knows one request, exec, and runs its command here.
func playedServer(mounts map[string]string) (*rest.Config, *rest.RESTClient) {
	server := httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
		command := request.URL.Query()["command"]
		for from, to := range mounts {
			if rest, found := strings.CutPrefix(command[0], from+"/"); found {
				command[0] = to + "/" + rest
			}
		}
		serve(answer, request, command)
	}))
	config := &rest.Config{Host: server.URL, APIPath: "/api"}
	config.GroupVersion = &corev1.SchemeGroupVersion
	config.NegotiatedSerializer = scheme.Codecs.WithoutConversion()
	client, err := rest.RESTClientFor(config)
	must(err)
	return config, client
}

// Version 4 of the protocol of exec: a stream each for what is printed, and one for how it ended.
func serve(answer http.ResponseWriter, request *http.Request, command []string) {
	_, err := httpstream.Handshake(request, answer, []string{"v4.channel.k8s.io"})
	must(err)
	opened := make(chan httpstream.Stream, 3)
	connection := spdy.NewResponseUpgrader().UpgradeResponse(answer, request,
		func(stream httpstream.Stream, replied <-chan struct{}) error {
			go func() { <-replied; opened <- stream }()
			return nil
		})
	defer connection.Close()
	streams := map[string]httpstream.Stream{}
	for len(streams) < 3 {
		stream := <-opened
		streams[stream.Headers().Get(corev1.StreamType)] = stream
	}
	program := exec.Command(command[0], command[1:]...)
	program.Stdout, program.Stderr = streams[corev1.StreamTypeStdout], streams[corev1.StreamTypeStderr]
	ended := program.Run()
	must(json.NewEncoder(streams[corev1.StreamTypeError]).Encode(status(ended)))
	for _, stream := range streams {
		stream.Close()
	}
	<-connection.CloseChan()
}

// What a kubelet says of a command's end.
func status(ended error) metav1.Status {
	if ended == nil {
		return metav1.Status{Status: metav1.StatusSuccess}
	}
	var failed *exec.ExitError
	if !errors.As(ended, &failed) {
		return metav1.Status{Status: metav1.StatusFailure, Message: ended.Error()}
	}
	code := strings.TrimPrefix(failed.String(), "exit status ")
	return metav1.Status{
		Status:  metav1.StatusFailure,
		Reason:  "NonZeroExitCode",
		Message: "command terminated with non-zero exit code: " + ended.Error(),
		Details: &metav1.StatusDetails{Causes: []metav1.StatusCause{{Type: "ExitCode", Message: code}}},
	}
}
