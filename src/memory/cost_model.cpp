// Predicting a batch's peak from what was observed before.
#include "imgmill/memory/cost_model.h"

#include <algorithm>
#include <cmath>

#include "memory/cost_model_impl.h"

namespace imgmill {
namespace {

/// Beyond the largest observed shape libraries may choose other algorithms; a little is added for that.
constexpr double kBeyondObserved = 1.05;

double PixelsOf(const BatchShape& shape) {
  return static_cast<double>(shape.n) * static_cast<double>(shape.height) * static_cast<double>(shape.width);
}

/// A whole number of bytes that is not less.
size_t WholeBytes(double bytes) {
  return static_cast<size_t>(std::ceil(std::min(bytes, 9e18)));
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

double CostModel::Impl::Largest() const {
  double largest = 0;
  for (const CostPoint& known : points) largest = std::max(largest, known.pixels);
  return largest;
}

void CostModel::Impl::Observe(double pixels, size_t peak_bytes) {
  const std::lock_guard lock(mutex);
  if (AddPoint(points, {pixels, static_cast<double>(peak_bytes)})) stale = true;
}

CostModel::CostModel() : impl_(std::make_unique<Impl>()) {}

CostModel::~CostModel() = default;

bool CostModel::CanPredict() const {
  std::lock_guard lock(impl_->mutex);
  return impl_->CanPredict();
}

size_t CostModel::Predict(const BatchShape& shape) const {
  std::lock_guard lock(impl_->mutex);
  if (!impl_->CanPredict()) return 0;
  const double pixels = PixelsOf(shape);
  const double bytes = impl_->Envelope().At(pixels);
  return WholeBytes(pixels <= impl_->Largest() ? bytes : kBeyondObserved * bytes);
}

void CostModel::Observe(const BatchShape& shape, size_t peak_bytes) {
  impl_->Observe(PixelsOf(shape), peak_bytes);
}

std::optional<size_t> CostModel::Seen(const BatchShape& shape) const {
  std::lock_guard lock(impl_->mutex);
  for (const CostPoint& known : impl_->points) {
    if (known.pixels == PixelsOf(shape)) return static_cast<size_t>(known.bytes);
  }
  return std::nullopt;
}

size_t CostModel::PredictFrom(size_t formula_bytes) const {
  std::lock_guard lock(impl_->mutex);
  if (!impl_->CanPredict()) return formula_bytes;
  const auto formula = static_cast<double>(formula_bytes);
  const double known_part = std::min(formula, impl_->Largest());
  return WholeBytes(impl_->Envelope().At(known_part) + (formula - known_part));
}

void CostModel::ObserveFrom(size_t formula_bytes, size_t peak_bytes) {
  impl_->Observe(static_cast<double>(formula_bytes), peak_bytes);
}

}  // namespace imgmill
