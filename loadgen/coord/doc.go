// Package coord has several agents, each a process on any machine, carry out the parts of one piece of work
// at the same time, and tells when one of them is lost. It does not know what the work is, moves none of the
// load, and speaks no protocol of a network: a [Bus] carries its messages.
//
// # The run
//
//	coordinator                              agent
//	            <── report, 5 a second ──    idle: who I am, how I am
//	    clock   ── order, 16 times ────>     answer with its time
//	    prepare ── part i of n, the work ─>  preparing, then ready
//	    start   ── T0, in the agent's time ─> running: begins by itself at T0
//	            <── report, with what was measured in the last second ──
//	            <── report: finished ──      still there: others may need it
//	    read    ── order, by chunks ────>    the results
//	    end     ── order ──────────────>     closes
//
// # Who is lost
//
// An agent that is silent for [Config].Silence, after it was given its part, is lost, and with it the run
// ([ErrLost]): the others are told to stop. Silence is counted in beats of the coordinator, so that one which
// was held up itself does not blame the agents. An agent that hears nothing from its coordinator for three
// times as long ends its work by itself ([ErrAbandoned]): no load is offered that nobody watches.
//
// # Clocks
//
// Agents begin at one time, each by its own clock. The offset of a clock is that of the fastest of 16
// questions, and is wrong by at most half of the time that one took ([Member].ClockError).
package coord
