package chart

import (
	"fmt"
	"image/color"
	"io"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

// MaxScale bounds the size of a picture: 3,680 by 2,480 pixels, 36 MB while it is
// drawn.
const MaxScale = 8.0

// PNG draws the chart as a picture of Width by Height times scale pixels, with its
// light colours on white. It is the same drawing as that of [Chart.SVG] and returns
// the same errors, and one if scale is not above zero and at most [MaxScale].
func (c *Chart) PNG(w io.Writer, scale float64) error {
	if !(scale > 0 && scale <= MaxScale) {
		return fmt.Errorf("chart: draw %q: scale %v, expected more than 0 and at most %g", c.Title, scale, MaxScale)
	}
	d, err := c.drawable()
	if err != nil {
		return fmt.Errorf("chart: draw %q: %w", c.Title, err)
	}
	cv := vgimg.NewWith(vgimg.UseWH(Width*vg.Points(1), Height*vg.Points(1)), vgimg.UseDPI(int(72*scale+0.5)),
		vgimg.UseBackgroundColor(color.White))
	d.on(draw.New(cv))
	if _, err := (vgimg.PngCanvas{Canvas: cv}).WriteTo(w); err != nil {
		return fmt.Errorf("chart: write %q: %w", c.Title, err)
	}
	return nil
}
