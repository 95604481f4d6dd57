package tidy

import (
	"fmt"
	"go/ast"
	"go/token"
	"net/url"
	"path"
	"regexp"
	"strings"
)

var (
	// abbreviation matches full stops that end no sentence.
	abbreviation = regexp.MustCompile(`\b(e\.g|i\.e|cf|vs|etc|resp|approx|no|sec|fig|eq)\.\s`)
	sentenceEnd  = regexp.MustCompile(`[.!?]["')\]]*(\s|$)`)
)

// sentences returns the number of sentences in text.
func sentences(text string) int {
	return len(sentenceEnd.FindAllString(abbreviation.ReplaceAllString(strings.TrimSpace(text), " "), -1))
}

// checkPackageComment finds packages whose doc.go (or main.go, for a program) does not say, in its first sentence,
// what the package does, and in its second what it leaves to others.
func checkPackageComment(t *tree) []string {
	var found []string
	for dir, files := range t.packages() {
		comment, where := "", path.Join(dir, "doc.go")
		for _, s := range files {
			isMain := s.file.Name.Name == "main" && path.Base(s.path) == "main.go"
			if (path.Base(s.path) == "doc.go" || isMain) && s.file.Doc != nil {
				comment, where = s.file.Doc.Text(), s.path
			}
		}
		switch {
		case comment == "":
			found = append(found, fmt.Sprintf("%s:1: package has no comment in its doc.go", where))
		case sentences(comment) < 2:
			found = append(found, where+":1: package comment is one sentence, wants two: what it does, what not")
		}
	}
	return found
}

// checkExported finds exported symbols without a comment that starts with their name.
func checkExported(t *tree) []string {
	var found []string
	for _, s := range t.written() {
		if s.test {
			continue
		}
		for _, decl := range s.file.Decls {
			for _, ident := range undocumented(decl) {
				found = append(found, fmt.Sprintf("%s:%d: exported %s has no comment that starts with its name",
					s.path, s.line(ident.Pos()), ident.Name))
			}
		}
	}
	return found
}

// undocumented returns the exported names of decl that lack their comment.
func undocumented(decl ast.Decl) []*ast.Ident {
	if fn, ok := decl.(*ast.FuncDecl); ok {
		if fn.Name.IsExported() && exportedReceiver(fn) && !startsWith(fn.Doc, fn.Name.Name) {
			return []*ast.Ident{fn.Name}
		}
		return nil
	}
	gen, ok := decl.(*ast.GenDecl)
	if !ok {
		return nil
	}
	var found []*ast.Ident
	for _, spec := range gen.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			name, doc := spec.Name.Name, nearest(gen, spec.Doc)
			if spec.Name.IsExported() && !startsWith(doc, name, "A "+name, "An "+name, "The "+name) {
				found = append(found, spec.Name)
			}
		case *ast.ValueSpec:
			found = append(found, undocumentedValues(gen, spec)...)
		}
	}
	return found
}

// undocumentedValues returns the exported constants or variables of spec that lack a comment. A group of them may be
// documented as a group, which is the honest form for an enumeration.
func undocumentedValues(gen *ast.GenDecl, spec *ast.ValueSpec) []*ast.Ident {
	if gen.Lparen != token.NoPos && gen.Doc != nil {
		return nil
	}
	// Names declared together share one comment, which starts with the first that is exported.
	for _, name := range spec.Names {
		if name.IsExported() {
			if startsWith(nearest(gen, spec.Doc), name.Name) {
				return nil
			}
			return []*ast.Ident{name}
		}
	}
	return nil
}

// nearest returns the comment of a spec: its own, or that of a declaration without parentheses.
func nearest(gen *ast.GenDecl, own *ast.CommentGroup) *ast.CommentGroup {
	if own == nil && gen.Lparen == token.NoPos {
		return gen.Doc
	}
	return own
}

// exportedReceiver reports whether fn is a function, or a method of an exported type.
func exportedReceiver(fn *ast.FuncDecl) bool {
	if fn.Recv == nil || len(fn.Recv.List) == 0 {
		return true
	}
	typ := fn.Recv.List[0].Type
	for {
		switch inner := typ.(type) {
		case *ast.StarExpr:
			typ = inner.X
		case *ast.IndexExpr:
			typ = inner.X
		case *ast.IndexListExpr:
			typ = inner.X
		case *ast.Ident:
			return inner.IsExported()
		default:
			return true
		}
	}
}

// startsWith reports whether the comment starts with one of the words, as a word of its own.
func startsWith(comment *ast.CommentGroup, words ...string) bool {
	text := comment.Text()
	for _, word := range words {
		rest, ok := strings.CutPrefix(text, word)
		if ok && len(rest) > 0 && strings.ContainsAny(rest[:1], " \n,.:;('") {
			return true
		}
	}
	return false
}

var (
	codeBlock     = regexp.MustCompile("(?ms)^ {0,3}```.*?^ {0,3}```|`[^`\n]*`")
	inlineLink    = regexp.MustCompile(`\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)`)
	referenceLink = regexp.MustCompile(`(?m)^ {0,3}\[[^\]]+\]:\s+(\S+)`)
	scheme        = regexp.MustCompile(`^[a-z][a-z0-9+.-]*:`)
)

// checkLinks finds links in markdown to files that are not there.
func checkLinks(t *tree) []string {
	var found []string
	for name, text := range t.texts {
		if path.Ext(name) != ".md" {
			continue
		}
		prose := codeBlock.ReplaceAllString(text, "")
		links := append(inlineLink.FindAllStringSubmatch(prose, -1), referenceLink.FindAllStringSubmatch(prose, -1)...)
		for _, link := range links {
			target, _, _ := strings.Cut(link[1], "#")
			if target == "" || scheme.MatchString(target) {
				continue
			}
			plain, err := url.PathUnescape(target)
			if err != nil || !t.exists(path.Join(path.Dir(name), plain)) {
				found = append(found, fmt.Sprintf("%s: link to %s, which does not exist", name, link[1]))
			}
		}
	}
	return found
}
