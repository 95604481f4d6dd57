// Package verify judges runs: whether every packet that was owed arrived, once
// and unaltered. It offers no load and drives nothing; a judge is told what
// happened and says what was wrong with it.
package verify
