// Package chord says which node owns an identifier: the first node whose ring
// position is not below the identifier's 64-bit prefix. It does not move
// packets; nodes and hosts ask it where to send them.
//
// They ask through [Ring], of which there are two. In a [Fixed] ring every participant knows all nodes. A [Member] is
// the state machine of one node of a ring that forms and mends itself: Chord (Stoica et al., "Chord: A Scalable
// Peer-to-peer Lookup Service for Internet Applications", SIGCOMM 2001) with the maintenance that Zave has proved
// correct ("Reasoning about Identifier Spaces: How to Make Chord Correct", IEEE TSE 43(12), 2017).
//
// # How a ring holds
//
// Every member keeps the one before it and 16 that follow it, its successors. Once a period it asks the first of them
// for its list, which it takes over whole, and for the one before it, which may be a member that has joined in between;
// then it tells the first successor that it is there. Who does not answer three times is dead, and the next successor
// takes its place. So a ring holds as long as no member loses all its successors at once.
//
// Where several things may happen at a time, people err: the ring as first published could come apart. What members do
// to each other's pointers is therefore in one type that sends nothing (pointers.go), which a test takes through every
// order of joins, failures and messages of three to six members (TestModel), and which must find the known mistakes
// when they are put back (TestModelFindsMistakes).
//
// A member that is to know who comes before its predecessor asks those ([Member.LookBehind]); pointers do not depend on
// what they say.
//
// A member that leaves tells those next to it, and answers from then on that it is no member. They ask before they
// believe that, but need not wait for answers that do not come.
//
// Members that were cut off from each other for long are several rings. Each asks now and then somebody that it has
// heard of, who may be on another ring by now, who comes after it there; so the rings become one again (contacts.go).
// The proof does not cover that.
//
// # How a lookup finds
//
// Successors say who owns what is near. For what is far there are fingers, one for each power of two of distance: of
// the members there the one that answers first. [Member.Owner] says where a packet goes next, so that packets find
// their way with the lookup. [Member.Find] asks from member to member, nearer each time, until it has heard from the
// owner itself: for who wants to know the address, and for how long the way took.
//
// A member that has sent a packet by way of others looks for the owner, and sends it the next ones straight. What it
// has found it asks again as long as it is in use, a bounded number at a time ([Member.Owner]).
//
// # Guests
//
// A [Guest] is the ring of a host, which is no member: it asks members who owns what the host sends to, remembers that,
// and asks again whether the owner is still there.
//
// # What attackers can do
//
// Nobody is believed who has not answered a question by its number, which only who is asked can know (Config.Secret);
// no answer is longer than its question. A member may lie about others in its list, and so have a bystander sent a
// dozen times the bytes of its answers, though only when it is asked; and it has the position of its choice. Who
// keeps strangers out of the ring must do so in front of it.
package chord
