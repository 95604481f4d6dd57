package scenario

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// streamFields are the keys of a stream.
var streamFields = fieldsOf(reflect.TypeFor[Stream]())

// maxDepth is how deep a value that is copied or marked may be nested; no scenario needs
// half of it, but an alias may lead into itself.
const maxDepth = 16

// set carries out the n-th --set, from 1: key=value, where the key is a path with
// dots, elements of lists stand by number or name, and the value is YAML.
func set(root *yaml.Node, assignment string, n int) error {
	path, text, ok := strings.Cut(assignment, "=")
	if !ok || path == "" {
		return fmt.Errorf("--set %.80s: want key=value, such as phases.0.for=10s", assignment)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		return fmt.Errorf("--set %.80s: %w", assignment, err)
	}
	value := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null"}
	if len(doc.Content) > 0 {
		value = doc.Content[0]
	}
	mark(value, -n, 0)
	steps := strings.Split(path, ".")
	place := root
	for i, step := range steps {
		next, err := descend(place, step, n)
		if err != nil {
			return fmt.Errorf("--set %.80s: %s: %w", assignment, strings.Join(steps[:i+1], "."), err)
		}
		place = next
	}
	*place = *value
	return nil
}

// mark makes nodes say where they come from.
func mark(n *yaml.Node, line, depth int) {
	n.Line, n.Column = line, 0
	for _, c := range n.Content {
		if depth < maxDepth {
			mark(c, line, depth+1)
		}
	}
}

// descend returns the node under a key, the number of an element or its name. A key
// that is not there is added; so is the element after the last.
func descend(n *yaml.Node, step string, set int) (*yaml.Node, error) {
	if n.Kind == yaml.AliasNode { // what others refer to stays as it is
		*n = *copied(n.Alias, 0)
	}
	fresh := &yaml.Node{Line: -set}
	index, err := strconv.Atoi(step)
	if n.Kind == 0 || n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		n.Kind, n.Tag = yaml.MappingNode, ""
		if err == nil {
			n.Kind = yaml.SequenceNode
		}
	}
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == step {
				return n.Content[i+1], nil
			}
		}
		n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: step, Line: -set}, fresh)
		return fresh, nil
	case yaml.SequenceNode:
		return element(n, step, index, err == nil, fresh)
	}
	return nil, fmt.Errorf("%s above it: want keys or a list", what(n))
}

// element returns the element of a list by number or name.
func element(n *yaml.Node, step string, index int, numbered bool, fresh *yaml.Node) (*yaml.Node, error) {
	switch {
	case numbered && index >= 0 && index < len(n.Content):
		return n.Content[index], nil
	case numbered && index == len(n.Content):
		n.Content = append(n.Content, fresh)
		return fresh, nil
	case !numbered:
		for _, item := range n.Content {
			for i := 0; i+1 < len(item.Content); i += 2 {
				if k := item.Content[i].Value; (k == "name" || k == "operation") && item.Content[i+1].Value == step {
					return item, nil
				}
			}
		}
	}
	return nil, fmt.Errorf("no such element: want 0 to %d, or a name", len(n.Content))
}

// copied returns a deep copy of a node.
func copied(n *yaml.Node, depth int) *yaml.Node {
	c := *n
	c.Anchor = ""
	c.Content = nil
	for _, item := range n.Content {
		if depth < maxDepth {
			c.Content = append(c.Content, copied(item, depth+1))
		}
	}
	return &c
}
