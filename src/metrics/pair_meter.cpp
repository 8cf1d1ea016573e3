// One pass over the rows of both images: errors are summed, SSIM keeps the rows that its windows need.
#include "imgmill/metrics/pair_meter.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "imgmill/memory/pool_array.h"
#include "metrics/ssim_scales.h"

namespace imgmill {
namespace {

constexpr std::array<MetricInfo, kMetrics> kTable = {{
    {Metric::kPsnr, "psnr", "psnr", "peak signal-to-noise ratio over RGB, dB", true, 3},
    {Metric::kPsnrY, "psnr-y", "psnr_y", "the same of BT.601 luma, as papers on super-resolution give it",
     true, 3},
    {Metric::kSsim, "ssim", "ssim", "structural similarity, mean of the channels, up to 1", true, 5},
    {Metric::kSsimY, "ssim-y", "ssim_y", "the same of luma", true, 5},
    {Metric::kMsSsim, "ms-ssim", "ms_ssim", "structural similarity over five scales, mean of the channels",
     true, 5},
    {Metric::kMae, "mae", "mae", "mean absolute error, 0 to 255", false, 4},
    {Metric::kRmse, "rmse", "rmse", "root of the mean squared error, 0 to 255", false, 4},
    {Metric::kMax, "max", "max", "largest error of a sample, 0 to 255", false, 2},
    {Metric::kAlphaMae, "alpha-mae", "alpha_mae", "mean absolute error of alpha, 0 to 255", false, 4},
    {Metric::kAlphaMax, "alpha-max", "alpha_max", "largest error of alpha, 0 to 255", false, 2},
    {Metric::kLpips, "lpips", "lpips", "how different they look to a network: see --lpips", false, 5, true},
}};

/// Of a plane, over all rows so far.
struct ErrorSums {
  void Add(const ErrorRow& row) {
    absolute += row.absolute;
    squares += row.squares;
    largest = std::max(largest, static_cast<double>(row.largest));
  }
  double absolute = 0, squares = 0, largest = 0;
};

int ScalesFor(MetricSet metrics) {
  if (metrics.Has(Metric::kMsSsim)) return kMsSsimScales;
  return metrics.Has(Metric::kSsim) ? 1 : 0;
}

bool NeedsLuma(MetricSet metrics) {
  return metrics.Has(Metric::kPsnrY) || metrics.Has(Metric::kSsimY);
}

double Psnr(double mean_square, double peak) {
  return mean_square > 0    ? 10 * std::log10(peak * peak / mean_square)
         : mean_square == 0 ? std::numeric_limits<double>::infinity()
                            : mean_square;
}

double OrNone(const std::optional<double>& value) {
  return value.value_or(std::numeric_limits<double>::quiet_NaN());
}

}  // namespace

std::span<const MetricInfo, kMetrics> AllMetrics() {
  return kTable;
}

const MetricInfo& InfoOf(Metric metric) {
  return kTable[static_cast<size_t>(metric)];
}

std::optional<Metric> MetricFromName(std::string_view name) {
  for (const MetricInfo& info : kTable) {
    if (info.name == name || info.field == name) return info.metric;
  }
  return std::nullopt;
}

struct PairMeter::Impl {
  Impl(const PairShape& its_shape, MetricSet its_metrics) : shape(its_shape), metrics(its_metrics) {
    const auto peak = static_cast<float>(shape.peak);
    if (const int scales = ScalesFor(metrics); scales > 0) {
      for (int c = 0; c < shape.colours; ++c) ssim.emplace_back(shape.width, shape.height, peak, scales);
    }
    if (metrics.Has(Metric::kSsimY)) ssim_y.emplace(shape.width, shape.height, peak, 1);
    if (NeedsLuma(metrics)) luma = PoolArray<float>(2 * static_cast<size_t>(shape.width));
  }

  void AddLuma(const PlaneRow& a, const PlaneRow& b) {
    const auto width = static_cast<size_t>(shape.width);
    const float weights[3] = {65.481F / 255, 128.553F / 255, 24.966F / 255};
    const float offset = static_cast<float>(shape.peak * 16 / 255);
    const PlaneRow* rows[2] = {&a, &b};
    for (size_t image = 0; image < 2; ++image) {
      const auto& planes = rows[image]->planes;
      const size_t green = shape.colours == 3 ? 1 : 0, blue = shape.colours == 3 ? 2 : 0;
      const float* const rgb[3] = {planes[0], planes[green], planes[blue]};
      BestMetricKernels().luma(rgb, weights, offset, width, luma.data() + image * width);
    }
    luma_errors.Add(BestMetricKernels().errors(luma.data(), luma.data() + width, width));
    if (ssim_y) ssim_y->Add(luma.data(), luma.data() + width);
  }

  const PairShape shape;
  const MetricSet metrics;
  std::vector<SsimScales> ssim;  ///< of each colour
  std::optional<SsimScales> ssim_y;
  PoolArray<float> luma;  ///< of both images
  ErrorSums errors, luma_errors, alpha_errors;
};

PairMeter::PairMeter(const PairShape& shape, MetricSet metrics)
    : impl_(std::make_unique<Impl>(shape, metrics)) {}
PairMeter::~PairMeter() = default;

void PairMeter::Add(const PlaneRow& a, const PlaneRow& b) {
  const auto width = static_cast<size_t>(impl_->shape.width);
  const auto colours = static_cast<size_t>(impl_->shape.colours);
  for (size_t c = 0; c < colours; ++c) {
    impl_->errors.Add(BestMetricKernels().errors(a.planes[c], b.planes[c], width));
    if (!impl_->ssim.empty()) impl_->ssim[c].Add(a.planes[c], b.planes[c]);
  }
  if (impl_->shape.alpha)
    impl_->alpha_errors.Add(BestMetricKernels().errors(a.planes[colours], b.planes[colours], width));
  if (NeedsLuma(impl_->metrics)) impl_->AddLuma(a, b);
}

PairFigures PairMeter::Finish() const {
  const PairShape& shape = impl_->shape;
  const MetricSet metrics = impl_->metrics;
  const double pixels = static_cast<double>(shape.width) * static_cast<double>(shape.height);
  const double samples = pixels * shape.colours;
  const double to_8bit = 255 / shape.peak;
  const ErrorSums& errors = impl_->errors;
  PairFigures figures;
  const auto put = [&](Metric metric, double value) {
    if (metrics.Has(metric)) figures[metric] = value;
  };
  put(Metric::kPsnr, Psnr(errors.squares / samples, shape.peak));
  put(Metric::kPsnrY, Psnr(impl_->luma_errors.squares / pixels, shape.peak));
  put(Metric::kMae, errors.absolute / samples * to_8bit);
  put(Metric::kRmse, std::sqrt(errors.squares / samples) * to_8bit);
  put(Metric::kMax, errors.largest * to_8bit);
  if (impl_->ssim_y) put(Metric::kSsimY, OrNone(impl_->ssim_y->Ssim()));
  if (!impl_->ssim.empty()) {
    double ssim = 0, ms_ssim = 0;
    for (const SsimScales& channel : impl_->ssim) {
      ssim += OrNone(channel.Ssim());
      ms_ssim += OrNone(channel.MsSsim());
    }
    put(Metric::kSsim, ssim / shape.colours);
    put(Metric::kMsSsim, ms_ssim / shape.colours);
  }
  figures.finite = std::isfinite(errors.squares) && std::isfinite(impl_->alpha_errors.squares);
  figures.equal = errors.absolute == 0 && impl_->alpha_errors.absolute == 0;
  figures.has_alpha = shape.alpha;
  figures[Metric::kAlphaMae] = impl_->alpha_errors.absolute / pixels * to_8bit;
  figures[Metric::kAlphaMax] = impl_->alpha_errors.largest * to_8bit;
  return figures;
}

size_t PairMeter::PooledBytes(const PairShape& shape, MetricSet metrics) {
  const auto width = static_cast<size_t>(shape.width);
  size_t bytes = NeedsLuma(metrics) ? 2 * width * sizeof(float) : 0;
  if (const int scales = ScalesFor(metrics); scales > 0)
    bytes += static_cast<size_t>(shape.colours) * SsimScales::PooledBytes(shape.width, scales);
  if (metrics.Has(Metric::kSsimY)) bytes += SsimScales::PooledBytes(shape.width, 1);
  return bytes;
}

}  // namespace imgmill
