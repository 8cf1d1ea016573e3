// A chart without a script: SVG for the curves, stretched to the width there is, and HTML for the words,
// which are not.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace imgmill {

/// Where a value stands on an axis, and the values that are written beside it.
class ChartAxis {
 public:
  struct Tick {
    double at = 0;
    std::string text;
  };

  /// From 0 to at least `high` bytes, marked at multiples of a power of two.
  static ChartAxis OfBytes(double high);
  /// From 0 to `ms` milliseconds, marked in seconds, minutes or hours.
  static ChartAxis OfTime(double ms);
  /// From 0 to at least `high`, marked at whole numbers (or at fractions, where `whole` is false).
  static ChartAxis OfNumbers(double high, bool whole);
  /// Logarithmic, of bytes, both ends positive.
  static ChartAxis OfByteMagnitudes(double low, double high);

  /// 0 at the axis's low end, 1 at its high end; never outside.
  double Place(double value) const;
  double high() const { return high_; }
  const std::vector<Tick>& ticks() const { return ticks_; }

 private:
  double low_ = 0;
  double high_ = 1;
  bool logarithmic_ = false;
  std::vector<Tick> ticks_;
};

/// What is drawn into one frame. All values are in the axes' units.
class Chart {
 public:
  struct Point {
    double x = 0;
    double y = 0;
  };

  Chart(ChartAxis x, ChartAxis y) : x_(std::move(x)), y_(std::move(y)) {}

  /// A line through the points; `kind` is its class, for colour and legend.
  void Curve(const std::string& kind, const std::vector<Point>& points);
  /// The surface below such a line.
  void Area(const std::string& kind, const std::vector<Point>& points);
  /// A dot each, of the same size whatever the chart's; or dashes of some width, where `widths` are given.
  void Dots(const std::string& kind, const std::vector<Point>& points,
            const std::vector<double>& widths = {});
  /// One dot with a text that shows when it is pointed at.
  void Mark(const std::string& kind, Point point, const std::string& text);
  /// A short line that stands on the lower edge.
  void Stroke(const std::string& kind, const std::vector<double>& at);
  /// Words beside a point, on whichever side there is room.
  void Label(const std::string& kind, Point point, const std::string& text);

  /// The value at the upper edge.
  double top() const { return y_.high(); }

  /// @param id     of the figure, for links
  /// @param title  its heading
  /// @param text   HTML below the heading: what is seen
  /// @param legend pairs of class and name
  std::string Html(const std::string& id, const std::string& title, const std::string& text,
                   const std::vector<std::pair<std::string, std::string>>& legend, const std::string& x_name,
                   const std::string& y_name) const;

 private:
  std::string At(Point point) const;

  ChartAxis x_;
  ChartAxis y_;
  std::string shapes_;
  std::string labels_;
};

}  // namespace imgmill
