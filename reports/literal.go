package reports

import "strings"

// literalVariant is the variant of simulated trees that is the paper's protocol to
// the letter. What others do is no reproduction of the paper, but for Figures 11
// and 13, where any way to build and repair the tree may meet its limits.
const literalVariant = "paper"

// literal reports whether "variant/net" is of that variant.
func literal(rest string) bool {
	variant, _, _ := strings.Cut(rest, "/")
	return variant == literalVariant
}

// literalRule is the rule of verdicts, for the reader.
const literalRule = "Judged is the paper's protocol to the letter, the variant paper; others are shown beside it."

// notLiteral is the verdict of other variants.
var notLiteral = Verdict{NotJudged, "not the paper's protocol"}

// judgedIf returns a verdict, if it is of the paper's protocol or of nothing.
func judgedIf(ofPaper bool, v Verdict) Verdict {
	if ofPaper || v.State == NotMeasured {
		return v
	}
	return notLiteral
}
