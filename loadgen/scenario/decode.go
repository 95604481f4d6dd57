package scenario

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// maxErrors is how many errors of a file are told at a time.
const maxErrors = 8

// A decoder fills in a scenario from the nodes of its file, and keeps what is wrong.
type decoder struct {
	file string
	sets []string // what --set said: node of line -n was made by the n-th
	errs []error
}

// fail notes that a node is wrong.
func (d *decoder) fail(n *yaml.Node, path, format string, args ...any) {
	where := fmt.Sprintf("%s:%d:%d", d.file, n.Line, n.Column)
	if n.Line < 0 {
		where = "--set " + d.sets[-n.Line-1]
	}
	if path != "" {
		where += ": " + path
	}
	d.errs = append(d.errs, fmt.Errorf("%s: %s", where, fmt.Sprintf(format, args...)))
}

// err returns what is wrong, or nil.
func (d *decoder) err() error {
	errs := d.errs
	if more := len(errs) - maxErrors; more > 0 {
		errs = append(slices.Clone(errs[:maxErrors]), fmt.Errorf("and %d more", more))
	}
	return errors.Join(errs...)
}

// A checker has something to say about the keys that were given.
type checker interface {
	check(d *decoder, n *yaml.Node, path string, given map[string]*yaml.Node)
}

// value fills in v from a node. It goes no deeper than the types do, even where an alias
// leads into itself.
func (d *decoder) value(n *yaml.Node, v reflect.Value, path string, f field) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	switch v.Kind() {
	case reflect.Struct:
		d.mapping(n, v, path)
	case reflect.Slice:
		if n.Kind != yaml.SequenceNode {
			d.fail(n, path, "%s: want a list, lines that begin with -", what(n))
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
		for i, item := range n.Content {
			d.value(item, v.Index(i), fmt.Sprintf("%s.%d", path, i), field{})
		}
	case reflect.Map:
		d.weights(n, v, path)
	default:
		if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
			d.fail(n, path, "%s: want a %s", what(n), typeName(v.Type()))
		} else if err := scalar(n.Value, v, f); err != nil {
			d.fail(n, path, "%v", err)
		}
	}
}

// mapping fills in a struct.
func (d *decoder) mapping(n *yaml.Node, v reflect.Value, path string) {
	fields := fieldsOf(v.Type())
	var names []string
	for _, f := range fields {
		names = append(names, f.key)
	}
	given := d.entries(n, path, names)
	if given == nil {
		return
	}
	for _, f := range fields {
		at, member := join(path, f.key), v.Field(f.index)
		switch node, ok := given[f.key]; {
		case ok:
			d.value(node, member, at, f)
		case f.need:
			d.fail(n, path, "no %s: want one, %s", f.key, f.doc)
		case member.Kind() == reflect.Struct:
			d.mapping(&yaml.Node{Kind: yaml.MappingNode}, member, at)
		case f.fallback != "":
			_ = scalar(f.fallback, member, f) // a test decodes all of them
		}
	}
	if c, ok := v.Addr().Interface().(checker); ok {
		c.check(d, n, path, given)
	}
}

// entries returns the values of a mapping by key, or nil if it is none.
func (d *decoder) entries(n *yaml.Node, path string, names []string) map[string]*yaml.Node {
	if n.Kind != yaml.MappingNode {
		d.fail(n, path, "%s: want keys and values, of %s", what(n), strings.Join(names, ", "))
		return nil
	}
	given := make(map[string]*yaml.Node)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		switch {
		case !slices.Contains(names, key.Value):
			d.fail(key, path, "no key %.40q: want one of %s", key.Value, strings.Join(names, ", "))
		case given[key.Value] != nil:
			d.fail(key, path, "%s is there twice", key.Value)
		default:
			given[key.Value] = n.Content[i+1]
		}
	}
	return given
}

// weights fills in the weights of a mix.
func (d *decoder) weights(n *yaml.Node, v reflect.Value, path string) {
	given := d.entries(n, path, Kinds())
	m := make(map[string]float64, len(given))
	for kind, node := range given {
		var weight float64
		d.value(node, reflect.ValueOf(&weight).Elem(), join(path, kind), field{bounded: true})
		m[kind] = weight
	}
	v.Set(reflect.ValueOf(m))
}

// scalar parses a value into v.
func scalar(text string, v reflect.Value, f field) error {
	if v.Type() == reflect.TypeFor[time.Duration]() {
		t, err := time.ParseDuration(text)
		if err != nil || t <= 0 {
			return fmt.Errorf("%.40q: want a time above 0 with its unit, such as 10s, 250ms or 24h", text)
		}
		v.SetInt(int64(t))
		return nil
	}
	if v.Kind() == reflect.String {
		if f.enum != nil && !slices.Contains(f.enum, text) {
			return fmt.Errorf("%.40q: want one of %s", text, strings.Join(f.enum, ", "))
		}
		v.SetString(text)
		return nil
	}
	if v.Kind() == reflect.Uint64 {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return fmt.Errorf("%.40q: want a whole number from 0", text)
		}
		v.SetUint(n)
		return nil
	}
	return number(text, v, f)
}

// number parses a number with a lower bound.
func number(text string, v reflect.Value, f field) error {
	x, err := strconv.ParseFloat(text, 64)
	whole := v.Kind() == reflect.Int
	switch {
	case err != nil || math.IsNaN(x) || math.IsInf(x, 0) || whole && (x != math.Trunc(x) || math.Abs(x) > 1<<31):
		return fmt.Errorf("%.40q: want a %s", text, typeName(v.Type()))
	case f.bounded && x < f.least:
		return fmt.Errorf("%.40q: want a %s of at least %v", text, typeName(v.Type()), f.least)
	case whole:
		v.SetInt(int64(x))
	default:
		v.SetFloat(x)
	}
	return nil
}

// join returns the path of a key.
func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// what returns the words for what a node is.
func what(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "keys and values"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Tag == "!!null":
		return "nothing"
	}
	return fmt.Sprintf("%.40q", n.Value)
}
