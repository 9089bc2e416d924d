// Runs the expressions of trufflehog's rules, as trufflehog does: with Go's regexp, over files that contain a keyword.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
)

type detector struct {
	Keywords     []string          `json:"keywords"`
	Regex        map[string]string `json:"regex"`
	ExcludeWords []string          `json:"exclude_words"`
}

func excluded(text string, words []string) bool {
	for _, word := range words {
		if strings.Contains(text, word) {
			return true
		}
	}
	return false
}

func main() {
	var rules struct {
		Detectors []detector `json:"detectors"`
	}
	text, err := os.ReadFile(os.Args[1])
	if err != nil {
		panic(err)
	}
	if err := json.Unmarshal(text, &rules); err != nil {
		panic(err)
	}
	found := []string{}
	files, _ := filepath.Glob(filepath.Join(os.Args[2], "*"))
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			panic(err)
		}
		for _, each := range rules.Detectors {
			for _, word := range each.Keywords {
				if !strings.Contains(string(data), word) {
					continue
				}
				for _, expression := range each.Regex {
					for _, match := range regexp.MustCompile(expression).FindAllStringSubmatch(string(data), -1) {
						if !excluded(match[1], each.ExcludeWords) {
							found = append(found, match[1])
						}
					}
				}
			}
		}
	}
	sort.Strings(found)
	printed, _ := json.Marshal(found)
	fmt.Println(string(printed))
}
