// Package canary holds tests that must fail, and one that must be skipped. They are built only with the tag canary and
// guard nothing themselves: make canary runs them to prove that a failing test turns a run red, a data race too, and
// that a skipped test does where nothing may be skipped.
package canary
