// Predicting a batch's peak from what was observed before.
#include "imgmill/memory/cost_model.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "memory/cost_model_impl.h"

namespace imgmill {
namespace {

/// Beyond the largest observed shape libraries may choose other algorithms; a little is added for that.
constexpr double kBeyondObserved = 1.05;

CostPoint PointOf(const BatchShape& shape) {
  const auto n = static_cast<double>(shape.n);
  const auto tokens = static_cast<double>(shape.tokens);
  return {n * static_cast<double>(shape.height) * static_cast<double>(shape.width), n * tokens * tokens, 0};
}

}  // namespace

const CostEnvelope& CostModel::Impl::Envelope() const {
  if (stale) {
    envelope = FitEnvelope(points);
    stale = false;
  }
  return envelope;
}

bool CostModel::Impl::CanPredict() const {
  return points.size() >= 2;
}

CostModel::CostModel(CostKey key) : impl_(std::make_unique<Impl>()) {
  impl_->key = std::move(key);
}

CostModel::~CostModel() = default;

bool CostModel::CanPredict() const {
  std::lock_guard lock(impl_->mutex);
  return impl_->CanPredict();
}

size_t CostModel::Predict(const BatchShape& shape) const {
  std::lock_guard lock(impl_->mutex);
  if (!impl_->CanPredict()) return 0;
  const CostPoint point = PointOf(shape);
  double bytes = impl_->Envelope().At(point);
  const bool beyond = std::none_of(impl_->points.begin(), impl_->points.end(), [&](const CostPoint& known) {
    return point.pixels <= known.pixels && point.attention <= known.attention;
  });
  if (beyond) bytes *= kBeyondObserved;
  return static_cast<size_t>(std::ceil(std::min(bytes, 9e18)));
}

void CostModel::Observe(const BatchShape& shape, size_t peak_bytes) {
  CostPoint point = PointOf(shape);
  point.bytes = static_cast<double>(peak_bytes);
  std::lock_guard lock(impl_->mutex);
  if (AddPoint(impl_->points, point)) impl_->stale = true;
}

std::optional<size_t> CostModel::Seen(const BatchShape& shape) const {
  std::lock_guard lock(impl_->mutex);
  const CostPoint point = PointOf(shape);
  for (const CostPoint& known : impl_->points) {
    if (known.pixels == point.pixels && known.attention == point.attention)
      return static_cast<size_t>(known.bytes);
  }
  return std::nullopt;
}

size_t CostModel::PredictFrom(size_t formula_bytes) const {
  std::lock_guard lock(impl_->mutex);
  if (!impl_->CanPredict()) return formula_bytes;
  const auto formula = static_cast<double>(formula_bytes);
  double largest = 0;
  for (const CostPoint& known : impl_->points) largest = std::max(largest, known.pixels);
  const double known_part = std::min(formula, largest);
  const double bytes = impl_->Envelope().At({known_part, 0, 0}) + (formula - known_part);
  return static_cast<size_t>(std::ceil(std::min(bytes, 9e18)));
}

void CostModel::ObserveFrom(size_t formula_bytes, size_t peak_bytes) {
  const CostPoint point = {static_cast<double>(formula_bytes), 0, static_cast<double>(peak_bytes)};
  std::lock_guard lock(impl_->mutex);
  if (AddPoint(impl_->points, point)) impl_->stale = true;
}

const CostKey& CostModel::key() const {
  return impl_->key;
}

}  // namespace imgmill
