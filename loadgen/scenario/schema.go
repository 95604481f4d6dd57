package scenario

import (
	"encoding/json"
	"reflect"
	"slices"
	"time"
)

// Schema returns the JSON schema of scenarios, for editors and other tools.
func Schema() []byte {
	s := schemaOf(reflect.TypeFor[Scenario]())
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	s["title"] = "Load scenario of i3bench"
	out, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		panic(err) // it consists of text, numbers, lists and maps
	}
	return append(out, '\n')
}

// timePattern matches a time with its unit.
const timePattern = `^\+?(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h))+$`

// schemaOf returns the schema of a struct.
func schemaOf(t reflect.Type) map[string]any {
	properties := map[string]any{}
	required := []string{}
	for _, f := range fieldsOf(t) {
		p := valueSchema(t.Field(f.index).Type, f)
		p["description"] = f.doc
		if f.fallback != "" {
			p["default"] = fallback(t.Field(f.index).Type, f.fallback)
		}
		properties[f.key] = p
		if f.need {
			required = append(required, f.key)
		}
	}
	s := map[string]any{"type": "object", "additionalProperties": false, "properties": properties}
	if len(required) > 0 {
		s["required"] = required
	}
	switch t {
	case reflect.TypeFor[Stream]():
		s["allOf"] = schedulesSchema()
	case reflect.TypeFor[Objective]():
		s["minProperties"] = 2
	}
	return s
}

// fallback returns a default as the type that it has in JSON.
func fallback(t reflect.Type, text string) any {
	if t.Kind() == reflect.String || t == reflect.TypeFor[time.Duration]() {
		return text
	}
	return json.Number(text)
}

// valueSchema returns the schema of one value.
func valueSchema(t reflect.Type, f field) map[string]any {
	s := map[string]any{}
	switch {
	case t == reflect.TypeFor[time.Duration]():
		s["type"], s["pattern"] = "string", timePattern
	case t.Kind() == reflect.Struct:
		return schemaOf(t)
	case t.Kind() == reflect.Slice:
		s["type"], s["items"] = "array", schemaOf(t.Elem())
		if f.need {
			s["minItems"] = 1
		}
	case t.Kind() == reflect.Map:
		weight := map[string]any{"type": "number", "minimum": 0}
		s["type"], s["additionalProperties"] = "object", weight
		s["propertyNames"] = map[string]any{"enum": Kinds()}
	case t.Kind() == reflect.String:
		s["type"] = "string"
	case t.Kind() == reflect.Float64:
		s["type"] = "number"
	default:
		s["type"], s["minimum"] = "integer", 0
	}
	if f.enum != nil {
		s["enum"] = f.enum
	}
	if f.bounded {
		s["minimum"] = f.least
	}
	return s
}

// schedulesSchema says which keys go with which schedule.
func schedulesSchema() (rules []any) {
	for _, k := range schedules {
		others := map[string]any{}
		for _, f := range streamFields {
			if f.key != "schedule" && !slices.Contains(k.need, f.key) && !slices.Contains(k.may, f.key) {
				others[f.key] = false
			}
		}
		rules = append(rules, map[string]any{
			"if":   map[string]any{"properties": map[string]any{"schedule": map[string]any{"const": k.name}}},
			"then": map[string]any{"required": k.need, "properties": others},
		})
	}
	return rules
}
