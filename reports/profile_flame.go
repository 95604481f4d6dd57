package reports

import (
	"fmt"
	"math"
	"strings"

	"i3bench/reports/chart"
	"i3bench/reports/profile"
)

// flame is the flame graph of a profile, coloured by stage.
func (v *profileView) flame() chart.Chart {
	f := &chart.Flame{Root: v.flameFrame(profile.Tree(v.p, nil))}
	stages := v.p.Stages()
	for s := profile.Stage(1); s < profile.NumStages; s++ {
		if stages[s].Samples > 0 {
			f.Keys = append(f.Keys, chart.Key{Ink: stageInk(s), Name: s.String()})
		}
	}
	f.Keys = append(f.Keys, chart.Key{Ink: chart.Plain, Name: "mixed, other"})
	return chart.Chart{
		Title: "Flame graph",
		Desc: "Each box is a function, below the one that called it, as wide as its share of the processor time, in " +
			"alphabetical order. Its colour is the stage that has nine tenths of that time.",
		Flame: f,
	}
}

// flameFrame is a node and what is below it, as boxes.
func (v *profileView) flameFrame(n *profile.Node) chart.Frame {
	stage, ink := n.Stage.String(), stageInk(n.Stage)
	if n.Mixed {
		stage, ink = "several stages", chart.Plain
	}
	f := chart.Frame{
		Name: profile.ShortName(n.Name), Short: lastPart(n.Name), Value: float64(n.Cost.CPU), Ink: ink,
		Note: fmt.Sprintf("%s, %s, %s samples: %s", percent(v.p.Share(n.Cost)), duration(float64(n.Cost.CPU)),
			count(n.Cost.Samples), stage),
	}
	for _, c := range n.Children {
		f.Children = append(f.Children, v.flameFrame(c))
	}
	return f
}

// lastPart returns a function's name without its package and type, but that of a function within with what it is in.
func lastPart(name string) string {
	dot := strings.LastIndexByte(name, '.')
	if dot > 0 && strings.HasPrefix(name[dot:], ".func") {
		dot = strings.LastIndexByte(name[:dot], '.')
	}
	return name[dot+1:]
}

// difference is the flame graph of what has changed since the baseline.
func (v *profileView) difference() chart.Chart {
	return chart.Chart{
		Title: "Differential flame graph",
		Desc: "Both profiles, each taken for a whole. A box is as wide as the mean of its two shares, so that what is gone " +
			"or new is seen, too; blue has become less and orange more, darker from one and from three points of the whole " +
			"on, and grey is what chance alone can do with so many samples.",
		Flame: &chart.Flame{Root: v.differenceFrame(profile.Tree(v.p, v.base)), Keys: []chart.Key{
			{Ink: chart.Less[2], Name: "≥ 3 less"},
			{Ink: chart.Less[1], Name: "1 to 3 less"},
			{Ink: chart.Less[0], Name: "up to 1 less"},
			{Ink: chart.Plain, Name: "by chance"},
			{Ink: chart.More[2], Name: "≥ 3 more"},
			{Ink: chart.More[1], Name: "1 to 3 more"},
			{Ink: chart.More[0], Name: "up to 1 more"},
		}},
	}
}

// differenceFrame is a node of both profiles and what is below it, as boxes.
func (v *profileView) differenceFrame(n *profile.Node) chart.Frame {
	c := profile.NewChange(v.base, v.p, n.Base, n.Cost)
	f := chart.Frame{
		Name: profile.ShortName(n.Name), Short: lastPart(n.Name), Value: (c.Old + c.New) / 2, Ink: changeInk(c),
		Note: fmt.Sprintf("%s before, %s now: %s points, ±%.1f by chance",
			percent(c.Old), percent(c.New), points(c.Difference()), 100*c.Noise),
	}
	for _, child := range n.Children {
		f.Children = append(f.Children, v.differenceFrame(child))
	}
	return f
}

// changeInk is the fill of a change.
func changeInk(c profile.Change) chart.Ink {
	inks := chart.More
	if c.Difference() < 0 {
		inks = chart.Less
	}
	switch points := 100 * math.Abs(c.Difference()); {
	case !c.Real():
		return chart.Plain
	case points >= 3:
		return inks[2]
	case points >= 1:
		return inks[1]
	}
	return inks[0]
}
