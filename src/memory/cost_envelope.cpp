// Fitting the envelope by trying every corner of the feasible region.
#include "memory/cost_envelope.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

namespace imgmill {
namespace {

/// One constraint: fixed * a + per_pixel * b >= bound.
struct Constraint {
  double a;
  double b;
  double bound;
};

/// Where two constraints meet (Cramer's rule), if they meet in one point.
std::optional<CostEnvelope> Corner(const Constraint& x, const Constraint& y) {
  const double determinant = x.a * y.b - x.b * y.a;
  if (std::abs(determinant) < 1e-12) return std::nullopt;
  return CostEnvelope{(x.bound * y.b - x.b * y.bound) / determinant,
                      (x.a * y.bound - x.bound * y.a) / determinant};
}

/// Of a line over the points; infinite for one that breaks a constraint.
double Excess(const CostEnvelope& line, const std::vector<Constraint>& constraints) {
  double excess = 0;
  for (const Constraint& c : constraints) {
    const double slack = c.a * line.fixed + c.b * line.per_pixel - c.bound;
    if (slack < -1e-9) return std::numeric_limits<double>::infinity();
    excess += slack;
  }
  // The first two constraints keep coefficients from being negative; their slack is no excess.
  return excess - line.fixed - line.per_pixel;
}

/// Bytes by which a point lies below the highest line between two others, one smaller and one larger. Not
/// positive: it lies below none.
double DepthBelowOthers(const std::vector<CostPoint>& points, size_t which) {
  const CostPoint& p = points[which];
  double depth = 0;
  for (const CostPoint& smaller : points) {
    if (smaller.pixels >= p.pixels) continue;
    for (const CostPoint& larger : points) {
      if (larger.pixels <= p.pixels) continue;
      const double share = (p.pixels - smaller.pixels) / (larger.pixels - smaller.pixels);
      depth = std::max(depth, smaller.bytes + share * (larger.bytes - smaller.bytes) - p.bytes);
    }
  }
  return depth;
}

/// Forgets the point that is covered most amply by others. @return whether there was one
bool DropCovered(std::vector<CostPoint>& points) {
  size_t deepest = 0;
  double depth = 0;
  for (size_t i = 0; i < points.size(); ++i) {
    const double below = DepthBelowOthers(points, i);
    if (below > depth) {
      depth = below;
      deepest = i;
    }
  }
  if (depth > 0) points.erase(points.begin() + static_cast<std::ptrdiff_t>(deepest));
  return depth > 0;
}

/// The two whose sizes have the smallest ratio become one.
void MergeNearest(std::vector<CostPoint>& points) {
  std::sort(points.begin(), points.end(),
            [](const CostPoint& a, const CostPoint& b) { return a.pixels < b.pixels; });
  const auto ratio = [&](size_t i) { return (points[i + 1].pixels + 1) / (points[i].pixels + 1); };
  size_t nearest = 0;
  for (size_t i = 1; i + 1 < points.size(); ++i) {
    if (ratio(i) < ratio(nearest)) nearest = i;
  }
  points[nearest].bytes = std::max(points[nearest].bytes, points[nearest + 1].bytes);
  points.erase(points.begin() + static_cast<std::ptrdiff_t>(nearest) + 1);
}

}  // namespace

CostEnvelope FitEnvelope(const std::vector<CostPoint>& points) {
  if (points.empty()) return {};
  // Scaled to 0..1, so that one tolerance serves bytes and pixels of any size.
  CostPoint scale{1, 1};
  for (const CostPoint& p : points)
    scale = {std::max(scale.pixels, p.pixels), std::max(scale.bytes, p.bytes)};
  std::vector<Constraint> constraints = {{1, 0, 0}, {0, 1, 0}};
  for (const CostPoint& p : points)
    constraints.push_back({1, p.pixels / scale.pixels, p.bytes / scale.bytes});
  double least = std::numeric_limits<double>::infinity();
  CostEnvelope best;
  for (size_t i = 0; i < constraints.size(); ++i) {
    for (size_t j = i + 1; j < constraints.size(); ++j) {
      const std::optional<CostEnvelope> corner = Corner(constraints[i], constraints[j]);
      if (!corner) continue;
      const double excess = Excess(*corner, constraints);
      if (excess >= least) continue;
      least = excess;
      best = *corner;
    }
  }
  best.fixed = std::max(0.0, best.fixed) * scale.bytes;
  best.per_pixel = std::max(0.0, best.per_pixel) * scale.bytes / scale.pixels;
  // Rounding may leave a point a few bytes above; the promise is "never".
  double lift = 0;
  for (const CostPoint& p : points) lift = std::max(lift, p.bytes - best.At(p.pixels));
  best.fixed += lift;
  return best;
}

bool AddPoint(std::vector<CostPoint>& points, const CostPoint& point) {
  for (CostPoint& known : points) {
    if (known.pixels != point.pixels) continue;
    if (known.bytes >= point.bytes) return false;
    known.bytes = point.bytes;
    return true;
  }
  points.push_back(point);
  while (points.size() > kMostPoints) {
    if (!DropCovered(points)) MergeNearest(points);
  }
  return true;
}

}  // namespace imgmill
