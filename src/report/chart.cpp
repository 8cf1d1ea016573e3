// Draws charts. The drawing's own units run from 0 to 1000 both ways, whatever the size on the screen; lines
// and dots keep their thickness in pixels all the same (vector-effect), as dots are lines without length.
#include "chart.h"

#include <algorithm>
#include <cstdio>

#include "page_parts.h"

namespace imgmill {
namespace {

constexpr double kUnits = 1000;

std::string Number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", value);
  std::string out = text;
  if (out.ends_with(".0")) out.resize(out.size() - 2);
  return out;
}

std::string Percent(double share) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f%%", 100 * share);
  return text;
}

}  // namespace

std::string Chart::At(Point point) const {
  return Number(kUnits * x_.Place(point.x)) + "," + Number(kUnits * (1 - y_.Place(point.y)));
}

void Chart::Curve(const std::string& kind, const std::vector<Point>& points) {
  if (points.empty()) return;
  shapes_ += "<polyline class=\"curve " + kind + "\" points=\"";
  for (const Point& point : points) shapes_ += At(point) + " ";
  shapes_.back() = '"';
  shapes_ += "/>\n";
}

void Chart::Area(const std::string& kind, const std::vector<Point>& points) {
  if (points.empty()) return;
  shapes_ += "<polygon class=\"area " + kind + "\" points=\"" + At({points.front().x, 0});
  for (const Point& point : points) shapes_ += " " + At(point);
  shapes_ += " " + At({points.back().x, 0}) + "\"/>\n";
}

void Chart::Dots(const std::string& kind, const std::vector<Point>& points,
                 const std::vector<double>& widths) {
  if (points.empty()) return;
  shapes_ += "<path class=\"dots " + kind + "\" d=\"";
  for (size_t i = 0; i < points.size(); ++i) {
    const double end = i < widths.size() ? points[i].x + widths[i] : points[i].x;
    shapes_ += "M" + At(points[i]) + "h" + Number(kUnits * (x_.Place(end) - x_.Place(points[i].x)));
  }
  shapes_ += "\"/>\n";
}

void Chart::Mark(const std::string& kind, Point point, const std::string& text) {
  shapes_ += "<path class=\"mark " + kind + "\" d=\"M" + At(point) + "h0\"><title>" + Escaped(text) +
             "</title></path>\n";
}

void Chart::Stroke(const std::string& kind, const std::vector<double>& at) {
  if (at.empty()) return;
  shapes_ += "<path class=\"stroke " + kind + "\" d=\"";
  for (const double x : at) shapes_ += "M" + Number(kUnits * x_.Place(x)) + ",1000v-25";
  shapes_ += "\"/>\n";
}

void Chart::Label(const std::string& kind, Point point, const std::string& text) {
  const double x = x_.Place(point.x);
  const double y = y_.Place(point.y);
  labels_ += "<span class=\"label " + kind + (y > 0.88 ? " below" : "") + "\" style=\"bottom:" + Percent(y) +
             (x > 0.5 ? ";right:" + Percent(1 - x) : ";left:" + Percent(x)) + "\">" + Escaped(text) +
             "</span>\n";
}

std::string Chart::Html(const std::string& id, const std::string& title, const std::string& text,
                        const std::vector<std::pair<std::string, std::string>>& legend,
                        const std::string& x_name, const std::string& y_name) const {
  std::string html = "<figure id=\"" + id + "\"><figcaption><h2>" + title + "</h2>\n<p>" + text + "</p>\n";
  if (!legend.empty()) {
    html += "<ul class=\"legend\">";
    for (const auto& [kind, name] : legend) html += "<li class=\"" + kind + "\">" + Escaped(name) + "</li>";
    html += "</ul>";
  }
  html +=
      "</figcaption>\n<div class=\"axis-name\">" + y_name + "</div>\n<div class=\"plot\">\n<div class=\"y\">";
  for (const ChartAxis::Tick& tick : y_.ticks())
    html += "<span style=\"bottom:" + Percent(y_.Place(tick.at)) + "\">" + tick.text + "</span>";
  html +=
      "</div>\n<div class=\"frame\"><svg viewBox=\"0 0 1000 1000\" preserveAspectRatio=\"none\" role=\"img\" "
      "aria-label=\"" +
      title + "\">\n<path class=\"grid\" d=\"";
  for (const ChartAxis::Tick& tick : y_.ticks())
    html += "M0," + Number(kUnits * (1 - y_.Place(tick.at))) + "h1000";
  for (const ChartAxis::Tick& tick : x_.ticks()) html += "M" + Number(kUnits * x_.Place(tick.at)) + ",0v1000";
  html += "\"/>\n" + shapes_ + "</svg>\n" + labels_ + "</div>\n<div class=\"x\">";
  for (const ChartAxis::Tick& tick : x_.ticks())
    html += "<span style=\"left:" + Percent(x_.Place(tick.at)) + "\">" + tick.text + "</span>";
  return html + "</div>\n</div>\n<div class=\"axis-name\">" + x_name + "</div></figure>\n";
}

}  // namespace imgmill
