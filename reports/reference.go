package reports

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// MarkdownFile is the report in Markdown among the files of a reference.
const MarkdownFile = "report.md"

// referenceFigures are the charts that stand beside a reference as files of their own,
// for pages that cannot show a part of another.
var referenceFigures = []string{"load-latency-series", "repair-cdf"}

// WriteReference writes what is kept of a result as an example: run.json, the report as a
// page and in Markdown, and two of its charts. Samples are not kept, so the files cannot
// be made again from each other. The directory is made if it is not there; a chart that
// the result does not have is an error.
func WriteReference(dir string, r *Result) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("reports: reference %s: %w", dir, err)
	}
	page, err := HTML(r)
	if err != nil {
		return err
	}
	err = errors.Join(
		r.Manifest.write(dir),
		writeFile(filepath.Join(dir, HTMLFile), page),
		writeFile(filepath.Join(dir, MarkdownFile), []byte(r.referenceText())),
	)
	for _, id := range referenceFigures {
		svg, drawErr := r.drawing(id)
		if drawErr != nil {
			err = errors.Join(err, fmt.Errorf("reports: reference %s: %w", dir, drawErr))
			continue
		}
		err = errors.Join(err, writeFile(filepath.Join(dir, id+".svg"), []byte(svg)))
	}
	return err
}

// referenceText is the report in Markdown: the answers, then all figures.
func (r *Result) referenceText() string {
	return "# A tour, as an example\n\nThe page is [" + HTMLFile + "](" + HTMLFile + "), the run [" + ManifestFile + "](" +
		ManifestFile + ").\n\n## At a glance\n\n" + r.glanceTable() + "\n## Figures\n\n" + Markdown(r)
}

// glanceTable is the table of the answers in Markdown.
func (r *Result) glanceTable() string {
	t := Table{Columns: []Column{text("question"), text("answer")}}
	for _, a := range r.glance() {
		t.Rows = append(t.Rows, []string{a.Question, a.Text})
	}
	var b strings.Builder
	t.WriteMarkdown(&b)
	return b.String()
}

// MarkdownGlance writes the answers of a result as a table, with date, machine and commit
// below it. It returns an error if the result answers nothing.
func MarkdownGlance(r *Result) (string, error) {
	if len(r.glance()) == 0 {
		return "", errors.New("the result answers no question, expected that of a tour")
	}
	var b strings.Builder
	for _, reason := range r.Invalid() {
		fmt.Fprintf(&b, "**INVALID**: %s\n\n", reason)
	}
	b.WriteString(r.glanceTable())
	r.measuredBy(&b)
	return b.String(), nil
}

// drawing returns a chart as a file of its own, on white, for its page may be dark.
func (r *Result) drawing(id string) (string, error) {
	for _, s := range r.Sections() {
		i := slices.IndexFunc(s.Figures, func(f Figure) bool { return f.ID == id })
		if i < 0 {
			continue
		}
		svg, err := s.Figures[i].Chart.SVG(id)
		head, body, ok := strings.Cut(svg, "</desc>\n")
		if err == nil && !ok {
			err = fmt.Errorf("the drawing of %s has no description", id)
		}
		return head + "</desc>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n" + body + "\n", err
	}
	return "", fmt.Errorf("the result has no chart %s, expected that of a tour", id)
}
