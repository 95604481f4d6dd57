package reports

// jitterNote says where the jitter of the simulated cluster comes from, and which of
// its figures are judged.
const jitterNote = "In virtual time every datagram is late by up to the jitter. Without it all distances of a level " +
	"are equal and the search follows the first that replied; that is the literal reading, shown and not judged. " +
	"Judged is jitter up to 200 µs. " + jitterChoice + "."

// jitterChoice says how the jitter was chosen.
const jitterChoice = "200 µs is the paper's query time; it was chosen after looking at 0, 20, 100 and 300 µs"

// noted are the paragraphs of a section, with that note if there are samples of
// virtual time.
func noted(text string, samples []Sample) []string {
	for _, s := range samples {
		if s.Group != "" {
			return []string{text, jitterNote}
		}
	}
	return []string{text}
}

// ofJitter says of which jitter a figure or table is, if of any.
func ofJitter(what, group string) string {
	if group == "" {
		return what
	}
	return what + ", " + group
}

// addOfJitter adds a figure, which says of which jitter it is, if of any.
func (s *Section) addOfJitter(f Figure, group string) {
	if group != "" {
		f.ID += "-" + pathPart(group)
	}
	f.Chart.Title = ofJitter(f.Chart.Title, group)
	s.Figures = append(s.Figures, f)
}

// inGroup is a finding of the cluster as that of a jitter: beside the others in a
// table, and not judged without jitter.
func (f Finding) inGroup(group, cell string) Finding {
	if group == "" || f.Verdict.State == NotMeasured {
		return f
	}
	f.Spot = Spot{Quantity: f.What, Variant: group, Cell: cell}
	f.What = ofJitter(f.What, group)
	if group == JitterNone && f.Verdict.State != NotJudged {
		f.Verdict = Verdict{NotJudged, "without jitter: " + f.Verdict.Text}
	}
	return f
}

// clusterName is the name of a benchmark line of the cluster.
func clusterName(what, group string) string {
	if group == "" {
		return "Cluster/" + what
	}
	return "Cluster/" + what + "/group=" + pathPart(group)
}
