/* The parts of the chart library that are used here, in a file that is fetched once a chart is on the
   screen. It draws SVG: sharp at any zoom, and a phone keeps no large bitmaps. */
import { BarChart, LineChart } from "echarts/charts"
import { GridComponent, MarkLineComponent, TooltipComponent } from "echarts/components"
import { init, use } from "echarts/core"
import { SVGRenderer } from "echarts/renderers"

use([BarChart, LineChart, GridComponent, MarkLineComponent, TooltipComponent, SVGRenderer])

export { init }
