package natsbus_test

import (
	"context"
	"fmt"

	"i3bench/loadgen/coord"
	"i3bench/loadgen/coord/natsbus"
)

// A coordinator embeds a server, and agents connect to it with its token.
func Example() {
	const token = "what all of them know"
	s, err := natsbus.Serve(natsbus.ServerConfig{Listen: "127.0.0.1:0", Token: token})
	if err != nil {
		panic(err)
	}
	defer s.Close()
	b, err := natsbus.Connect(context.Background(), natsbus.Config{URL: s.URL(), Token: token})
	if err != nil {
		panic(err)
	}
	defer b.Close()
	b.Subscribe("greet", func(m coord.Message) { m.Answer([]byte("hello, " + string(m.Data))) })
	answer, err := s.Request(context.Background(), "greet", []byte("agent"))
	fmt.Println(string(answer), err)
	// Output: hello, agent <nil>
}
