#include "precision.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <vector>

#include "base/try.h"
#include "base/usage_error.h"
#include "model_loading.h"

namespace imgmill {
namespace {

constexpr int kSide = 128;
constexpr int kMostLevels = 1;
/// Of a picture in which half precision gave values that are no numbers.
constexpr int kBeyond = 256;

/// A value of 0..1 for each point of a lattice, always the same ones.
double LatticeValue(int x, int y, int octave) {
  uint32_t bits = static_cast<uint32_t>(x) * 0x9E3779B1u ^ static_cast<uint32_t>(y) * 0x85EBCA77u ^
                  static_cast<uint32_t>(octave) * 0xC2B2AE3Du;
  bits ^= bits >> 15;
  bits *= 0x2C1B3C6Du;
  bits ^= bits >> 13;
  return bits / 4294967295.0;
}

/// The lattice's values, and smooth ones in between.
double Noise(double x, double y, int octave) {
  const int left = static_cast<int>(std::floor(x)), top = static_cast<int>(std::floor(y));
  const auto smooth = [](double t) { return t * t * (3 - 2 * t); };
  const double right = smooth(x - left), down = smooth(y - top);
  const auto row = [&](int at) {
    return std::lerp(LatticeValue(left, at, octave), LatticeValue(left + 1, at, octave), right);
  };
  return std::lerp(row(top), row(top + 1), down);
}

/// RGB with what photographs have: slow gradients into black and white, noise whose strength falls with its
/// frequency, a sharp edge of saturated colour, and lines one pixel wide.
std::vector<std::byte> DrawnPicture(int side) {
  std::vector<std::byte> picture;
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x) {
      const double u = (x + 0.5) / side, v = (y + 0.5) / side;
      double texture = 0;
      for (int octave = 0; octave < 6; ++octave) {
        const double frequency = 4 << octave;
        texture += (Noise(u * frequency, v * frequency, octave) - 0.5) / (1 << octave);
      }
      const bool disc = std::hypot(u - 0.35, v - 0.4) < 0.2;
      const bool lines = u > 0.75 && v > 0.75 && (x + (v > 0.875 ? y : 0)) % 2 == 0;
      for (int band = 0; band < 3; ++band) {
        double value = 1.3 * (band == 1 ? u : v) - 0.15 + 0.35 * texture;
        if (disc) value = band == 0 ? 0.95 : 0.1 + 0.1 * texture;
        if (lines) value = 0;
        picture.push_back(static_cast<std::byte>(std::lround(255 * std::clamp(value, 0.0, 1.0))));
      }
    }
  }
  return picture;
}

/// The picture in both precisions, as work for the ladder: a full device is no error.
class Trial final : public LadderWork {
 public:
  Trial(UpscaleModel& model, int side) : model_(model), side_(side), picture_(DrawnPicture(side)) {
    const size_t scale = static_cast<size_t>(model.info().scale);
    full_.resize(picture_.size() * scale * scale);
    half_.resize(full_.size());
  }
  BatchLabel label() const override {
    return {model_.info().architecture + " in half precision", {1, side_, side_}, {1, 0}};
  }
  bool has_cpu_rung() const override { return false; }
  Status Run(const Attempt& attempt) override {
    std::unique_ptr<ModelStream> half = TRY(model_.OpenStream(attempt.place, Precision::kHalf));
    TRY(Enlarge(*half, half_));
    if (half->beyond_half() > 0) {
      levels = kBeyond;
      return {};
    }
    std::unique_ptr<ModelStream> full = TRY(model_.OpenStream(attempt.place, Precision::kFloat32));
    TRY(Enlarge(*full, full_));
    for (size_t i = 0; i < full_.size(); ++i)
      levels = std::max(levels, std::abs(static_cast<int>(full_[i]) - static_cast<int>(half_[i])));
    return {};
  }

  int levels = 0;

 private:
  Status Enlarge(ModelStream& stream, std::vector<std::byte>& enlarged) {
    const SampleImage image = {picture_.data(), enlarged.data()};
    return stream.RunSamples({&image, 1}, {}, 1, side_, side_);
  }

  UpscaleModel& model_;
  const int side_;
  const std::vector<std::byte> picture_;
  std::vector<std::byte> full_, half_;
};

/// "cuda" of "cuda:1".
std::string TypeOf(const std::string& device) {
  return device.substr(0, device.find(':'));
}

std::optional<int> KnownLevels(Catalog& catalog, const ContentDigest& weights, const std::string& fact) {
  const std::optional<std::string> known = catalog.FindFact(weights, fact);
  int levels = 0;
  if (!known || std::from_chars(known->data(), known->data() + known->size(), levels).ec != std::errc())
    return std::nullopt;
  return levels;
}

/// How far half precision is off at most, in levels.
/// @param kernels  the plan's, of what computes
Result<int> LevelsOff(const CommandServices& services, const std::string& path, UpscaleModel& model,
                      const std::string& kernels) {
  ContentDigest weights = TRY(DigestOfModel(path));
  const ModelInfo& info = model.info();
  const std::string fact = "half precision/1 " + info.architecture + " x" + std::to_string(info.scale) + " " +
                           TypeOf(services.memory->device(0).name()) + " " + info.library + " " + kernels;
  if (const auto known = KnownLevels(*services.catalog, weights, fact)) return *known;
  const int grid = std::max(1, info.tile_grid);
  Trial trial(model, (kSide + grid - 1) / grid * grid);
  const LadderOutcome outcome = services.memory->Guarded(trial, WorkPlace::Device(0), *services.stop);
  if (!outcome.status) return outcome.status.error();
  if (services.shared->mode == RunMode::kRun)
    TRY(services.catalog->PutFact(weights, fact, std::to_string(trial.levels)));
  return trial.levels;
}

std::string HowFarOff(int levels) {
  if (levels >= kBeyond) return "its values exceed half precision's";
  return "at most " + std::to_string(levels) + " of 255 levels from float32 on a drawn picture";
}

}  // namespace

Result<Precision> ChoosePrecision(const CommandServices& services, const std::string& path,
                                  UpscaleModel& model, const NumericsPlan& plan, const std::string& asked) {
  if (asked == "float32") return Precision::kFloat32;
  const std::string device = services.memory->device(0).name();
  const bool forced = asked == "half";
  if (!model.HasHalf(device)) {
    if (!forced) return plan.precision;
    return UsageError("--precision half is for GPUs, and this run is on " + device +
                      ": leave it out, or name a GPU with --device");
  }
  const Result<int> levels = LevelsOff(services, path, model, plan.kernels);
  if (!levels) {
    // The model's own trouble comes up again with the first batch, and is told there.
    services.log(LogLevel::kWarning, "half precision could not be tried on " + device + ": " +
                                         levels.error().message + (forced ? "" : "; float32 it is"));
    return forced ? Precision::kHalf : Precision::kFloat32;
  }
  if (*levels <= kMostLevels) {
    services.log(LogLevel::kInfo, "half precision: " + HowFarOff(*levels));
    return Precision::kHalf;
  }
  if (!forced) {
    services.log(LogLevel::kInfo,
                 "float32: in half precision " + HowFarOff(*levels) + "; --precision half is faster");
    return Precision::kFloat32;
  }
  services.log(LogLevel::kWarning,
               "half precision, as asked: " + HowFarOff(*levels) + "; --precision float32 is exact");
  return Precision::kHalf;
}

}  // namespace imgmill
