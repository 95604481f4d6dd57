package scenario

import (
	"reflect"
	"strconv"
	"strings"
	"time"
)

// A field is a key of a mapping, as the tag of a field of a struct has it.
type field struct {
	index    int
	key, doc string
	fallback string // the default, or empty
	enum     []string
	need     bool
	least    float64
	bounded  bool // least says something
}

// fieldsOf returns the keys of a type in their order.
func fieldsOf(t reflect.Type) (fields []field) {
	for i := range t.NumField() {
		tag := t.Field(i).Tag
		key := tag.Get("key")
		if key == "" {
			continue
		}
		f := field{index: i, key: key, doc: tag.Get("doc"), fallback: tag.Get("default"), need: tag.Get("need") != ""}
		switch enum := tag.Get("enum"); enum {
		case "":
		case "KINDS":
			f.enum = Kinds()
		case "SCHEDULES":
			f.enum = scheduleNames()
		case "LAWS":
			f.enum = []string{"lognormal", "weibull", "exponential", "fixed"}
		default:
			f.enum = strings.Split(enum, ",")
		}
		if least, err := strconv.ParseFloat(tag.Get("least"), 64); err == nil {
			f.least, f.bounded = least, true
		}
		fields = append(fields, f)
	}
	return fields
}

// scheduleNames returns the names of schedules.
func scheduleNames() (names []string) {
	for _, s := range schedules {
		names = append(names, s.name)
	}
	return names
}

// A Key is a place in a scenario at which there may be a value.
type Key struct {
	Path    string // such as phases.*.for, with * for the number or name of an element
	Type    string // word for what the value is
	Default string
	Doc     string
}

// Keys returns all keys of a scenario whose values are not mappings or lists of
// mappings themselves. Each can be set by --set.
func Keys() []Key { return keysOf(reflect.TypeFor[Scenario](), "") }

func keysOf(t reflect.Type, prefix string) (keys []Key) {
	for _, f := range fieldsOf(t) {
		ft, path := t.Field(f.index).Type, prefix+f.key
		switch {
		case ft.Kind() == reflect.Slice:
			keys = append(keys, keysOf(ft.Elem(), path+".*.")...)
		case ft.Kind() == reflect.Struct:
			keys = append(keys, keysOf(ft, path+".")...)
		case ft.Kind() == reflect.Map:
			for _, kind := range Kinds() {
				keys = append(keys, Key{path + "." + kind, "number", "0", "Weight of this kind of operation."})
			}
		default:
			k := Key{path, typeName(ft), f.fallback, f.doc}
			if f.enum != nil {
				k.Type = strings.Join(f.enum, "|")
			}
			keys = append(keys, k)
		}
	}
	return keys
}

// typeName is the word for a type of scalars.
func typeName(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[time.Duration]():
		return "time"
	case t.Kind() == reflect.String:
		return "text"
	case t.Kind() == reflect.Float64:
		return "number"
	}
	return "whole number"
}
