// The tightest line above all observed peaks: the arithmetic of the cost model.
#pragma once

#include <cstddef>
#include <vector>

namespace imgmill {

/// A peak of `bytes` at `pixels` = N*H*W.
struct CostPoint {
  double pixels = 0;
  double bytes = 0;
};

/// bytes = fixed + per_pixel * pixels, no coefficient negative.
struct CostEnvelope {
  double fixed = 0;
  double per_pixel = 0;
  double At(double pixels) const { return fixed + per_pixel * pixels; }
};

/// The line with the least total excess over the points, among those below none of them. Exact: the optimum
/// of this linear programme in two unknowns touches two constraints, and all pairs are tried. At most
/// kMostPoints points.
CostEnvelope FitEnvelope(const std::vector<CostPoint>& points);

inline constexpr size_t kMostPoints = 24;

/// Adds a point; where one of the same shape exists, the higher peak stays. When there are more than
/// kMostPoints, one goes that lies below the line between two others, as no envelope above those can miss it;
/// where there is none such, the two nearest shapes become one that stands for both: the smaller shape with
/// the higher peak, which no monotone envelope can cover without covering both. @return whether anything
/// changed
bool AddPoint(std::vector<CostPoint>& points, const CostPoint& point);

}  // namespace imgmill
