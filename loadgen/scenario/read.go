package scenario

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// library holds the scenarios that need no file.
//
//go:embed library/*.yaml
var library embed.FS

// suffix is that of a scenario's file.
const suffix = ".yaml"

// Names returns the names of the library's scenarios.
func Names() (names []string) {
	entries, _ := library.ReadDir("library")
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), suffix))
	}
	return names
}

// Load reads a scenario, from the library if there is one of that name, else from the
// file; changes it as the assignments say, which are those of --set; and checks it.
// Errors say the file, line and column, or the assignment, and what was expected.
func Load(nameOrFile string, assignments []string) (*Scenario, error) {
	if slices.Contains(Names(), nameOrFile) {
		data, err := library.ReadFile("library/" + nameOrFile + suffix)
		if err != nil {
			return nil, err
		}
		return parse(nameOrFile, data, assignments, func(string) ([]byte, error) { return nil, fs.ErrNotExist })
	}
	data, err := readFile(nameOrFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("scenario %.80q: no such file, and none of the library: %s",
			nameOrFile, strings.Join(Names(), ", "))
	}
	if err != nil {
		return nil, err
	}
	dir := filepath.Dir(nameOrFile)
	return parse(nameOrFile, data, assignments, func(name string) ([]byte, error) {
		if !filepath.IsAbs(name) {
			name = filepath.Join(dir, name)
		}
		return readFile(name)
	})
}

// maxFile bounds a file, in bytes: a trace of four million operations is smaller.
const maxFile = 256 << 20

// readFile reads a file that is not too long.
func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if len(data) > maxFile {
		return nil, fmt.Errorf("%s: more than %d bytes", name, maxFile)
	}
	return data, err
}

// parse decodes a scenario and the traces that it names.
func parse(file string, data []byte, assignments []string, open func(string) ([]byte, error)) (*Scenario, error) {
	root, err := document(file, data)
	if err != nil {
		return nil, err
	}
	for i, a := range assignments {
		if err := set(root, a, i+1); err != nil {
			return nil, err
		}
	}
	d := &decoder{file: file, sets: assignments}
	s := &Scenario{from: source{File: file, Data: data, Sets: assignments, Traces: make(map[string][]byte)}}
	d.value(root, reflect.ValueOf(s).Elem(), "", field{})
	if err := d.err(); err != nil {
		return nil, err
	}
	for i := range s.Phases {
		for k := range s.Phases[i].Load {
			stream := &s.Phases[i].Load[k]
			if stream.File == "" {
				continue
			}
			if stream.trace, err = open(stream.File); err != nil {
				return nil, fmt.Errorf("%s: phases.%d.load.%d.file: %w", file, i, k, err)
			}
			s.from.Traces[stream.File] = stream.trace
		}
	}
	if _, err := s.Resolve(1); err != nil { // with any seed: what is wrong does not depend on it
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return s, nil
}

// document returns the one document of a file.
func document(file string, data []byte) (*yaml.Node, error) {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, more yaml.Node
	if err := dec.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%s: empty: want a scenario", file)
		}
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: more than one document: want one scenario", file)
	}
	return doc.Content[0], nil
}
