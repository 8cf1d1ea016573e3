// Fitting the envelope by trying every corner of the feasible region.
#include "memory/cost_envelope.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>

namespace imgmill {
namespace {

/// One constraint: a . (fixed, per_pixel, per_attention) >= bound.
struct Constraint {
  std::array<double, 3> a;
  double bound;
};

double Determinant(const std::array<double, 3>& x, const std::array<double, 3>& y,
                   const std::array<double, 3>& z) {
  return x[0] * (y[1] * z[2] - y[2] * z[1]) - x[1] * (y[0] * z[2] - y[2] * z[0]) +
         x[2] * (y[0] * z[1] - y[1] * z[0]);
}

/// Where three constraints meet (Cramer's rule), if they meet in one point.
std::optional<std::array<double, 3>> Corner(const Constraint& x, const Constraint& y, const Constraint& z) {
  const double determinant = Determinant(x.a, y.a, z.a);
  if (std::abs(determinant) < 1e-12) return std::nullopt;
  std::array<double, 3> corner{};
  for (size_t i = 0; i < 3; ++i) {
    auto p = x.a;
    auto q = y.a;
    auto r = z.a;
    p[i] = x.bound;
    q[i] = y.bound;
    r[i] = z.bound;
    corner[i] = Determinant(p, q, r) / determinant;
  }
  return corner;
}

double Excess(const std::array<double, 3>& corner, const std::vector<Constraint>& constraints) {
  double excess = 0;
  for (const Constraint& c : constraints) {
    const double slack = c.a[0] * corner[0] + c.a[1] * corner[1] + c.a[2] * corner[2] - c.bound;
    if (slack < -1e-9) return std::numeric_limits<double>::infinity();
    excess += slack;
  }
  return excess;
}

/// How unlike two shapes are: the sum of the logarithms of their ratios.
double Distance(const CostPoint& x, const CostPoint& y) {
  return std::abs(std::log((x.pixels + 1) / (y.pixels + 1))) +
         std::abs(std::log((x.attention + 1) / (y.attention + 1)));
}

/// Bytes by which a point lies below the highest line between two others, one smaller and one larger, of no
/// more attention. Not positive: it lies below none.
double DepthBelowOthers(const std::vector<CostPoint>& points, size_t which) {
  const CostPoint& p = points[which];
  double depth = 0;
  for (const CostPoint& smaller : points) {
    if (smaller.pixels >= p.pixels || smaller.attention > p.attention) continue;
    for (const CostPoint& larger : points) {
      if (larger.pixels <= p.pixels || larger.attention > p.attention) continue;
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

}  // namespace

CostEnvelope FitEnvelope(const std::vector<CostPoint>& points) {
  CostEnvelope envelope;
  if (points.empty()) return envelope;
  // Scaled to 0..1, so that one tolerance serves bytes and pixels of any size.
  CostPoint scale{1, 1, 1};
  for (const CostPoint& p : points) {
    scale.pixels = std::max(scale.pixels, p.pixels);
    scale.attention = std::max(scale.attention, p.attention);
    scale.bytes = std::max(scale.bytes, p.bytes);
  }
  std::vector<Constraint> constraints = {{{1, 0, 0}, 0}, {{0, 1, 0}, 0}, {{0, 0, 1}, 0}};
  for (const CostPoint& p : points) {
    constraints.push_back(
        {{1, p.pixels / scale.pixels, p.attention / scale.attention}, p.bytes / scale.bytes});
  }
  double least = std::numeric_limits<double>::infinity();
  std::array<double, 3> best{};
  for (size_t i = 0; i < constraints.size(); ++i) {
    for (size_t j = i + 1; j < constraints.size(); ++j) {
      for (size_t k = j + 1; k < constraints.size(); ++k) {
        const auto corner = Corner(constraints[i], constraints[j], constraints[k]);
        if (!corner) continue;
        // The first three constraints keep coefficients from being negative; their slack is no excess.
        const double excess = Excess(*corner, constraints) - (*corner)[0] - (*corner)[1] - (*corner)[2];
        if (excess < least) {
          least = excess;
          best = *corner;
        }
      }
    }
  }
  envelope.per_pixel = std::max(0.0, best[1]) * scale.bytes / scale.pixels;
  envelope.per_attention = std::max(0.0, best[2]) * scale.bytes / scale.attention;
  envelope.fixed = std::max(0.0, best[0]) * scale.bytes;
  // Rounding may leave a point a few bytes above; the promise is "never".
  double lift = 0;
  for (const CostPoint& p : points) lift = std::max(lift, p.bytes - envelope.At(p));
  envelope.fixed += lift;
  return envelope;
}

bool AddPoint(std::vector<CostPoint>& points, const CostPoint& point) {
  for (CostPoint& known : points) {
    if (known.pixels != point.pixels || known.attention != point.attention) continue;
    if (known.bytes >= point.bytes) return false;
    known.bytes = point.bytes;
    return true;
  }
  points.push_back(point);
  while (points.size() > kMostPoints) {
    if (DropCovered(points)) continue;
    size_t first = 0;
    size_t second = 1;
    double nearest = std::numeric_limits<double>::infinity();
    for (size_t i = 0; i < points.size(); ++i) {
      for (size_t j = i + 1; j < points.size(); ++j) {
        const double distance = Distance(points[i], points[j]);
        if (distance < nearest) {
          nearest = distance;
          first = i;
          second = j;
        }
      }
    }
    CostPoint& kept = points[first];
    const CostPoint& merged = points[second];
    kept = {std::min(kept.pixels, merged.pixels), std::min(kept.attention, merged.attention),
            std::max(kept.bytes, merged.bytes)};
    points.erase(points.begin() + static_cast<std::ptrdiff_t>(second));
  }
  return true;
}

}  // namespace imgmill
