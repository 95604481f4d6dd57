// Package scenario reads what load is to be offered to what deployment: files in
// YAML, and a library of them. It offers no load itself, and knows of an operation no
// more than its name.
//
// One table, the tags of the fields of [Scenario] and of the types below it, says
// which keys there are. The decoder, the list of [Keys], the JSON schema and the
// flag --set follow from it, so that none of them can forget a key.
//
// A scenario that was read is resolved into plans ([Scenario.Resolve]): functions of
// the number of an operation and the seed, which any number of agents can share, and
// which are the same on sockets and in virtual time.
package scenario
