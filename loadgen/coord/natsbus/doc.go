// Package natsbus carries the messages of package coord over NATS: a server that it embeds ([Serve]), or one
// or a cluster that runs elsewhere ([Connect]). It decides nothing about a run, keeps no message, and the
// datagrams of the load never come here.
//
// # Who may connect
//
// A server that it embeds wants a token or an NKey of everybody, and listens beyond loopback only with TLS. A
// client sends no credentials beyond loopback without TLS, whoever the server is. Credentials are in files,
// never in a URL, which is part of every result's manifest.
package natsbus
