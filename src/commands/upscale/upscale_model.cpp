// Upscaling by a model: cuts each band into tiles with context, runs them, writes the band.
#include <algorithm>
#include <optional>

#include "base/try.h"
#include "commands/flat_alpha.h"
#include "engine/planar.h"
#include "engine/sample_tiles.h"
#include "upscale_operation.h"

namespace imgmill {
namespace {

constexpr int64_t kUntiled = int64_t{1} << 20;  // sides are limited to less by every reader

size_t PlaneBytes(int64_t width, int64_t height) {
  return static_cast<size_t>(3 * width * height) * sizeof(float);
}

/// Whether its tiles go to the model as rows of samples.
bool AsSamples(const UpscaleModel& model, const Layout& rows) {
  return model.TakesSamples() && rows.sample != Sample::kF32;
}

/// A tile on its way to the model: planes, or samples like those of `rows`.
size_t TileBytes(const UpscaleModel& model, const Layout& rows, int64_t width, int64_t height) {
  if (!AsSamples(model, rows)) return PlaneBytes(width, height);
  return FormOf(rows).Bytes(static_cast<int>(height), static_cast<int>(width));
}

/// Planes of the tiles in flight of one image, of sides up to these.
size_t PlanesInFlight(const NumericsPlan& plan, int64_t scale, int64_t width, int64_t height) {
  return static_cast<size_t>(plan.micro_batch) *
         (PlaneBytes(width, height) + PlaneBytes(width * scale, height * scale));
}

std::string ModelFingerprint(const UpscaleOptions& options, const UpscaleModel& model,
                             const NumericsPlan& plan) {
  const std::string noise = options.noise_level ? " noise " + std::to_string(*options.noise_level) : "";
  // What was made by networks for grey before this number has an image in one band only.
  const std::string version = model.info().bands == 1 ? "upscale/3 " : "upscale/2 ";
  // Before this number half precision was planned, and float32 computed.
  const std::string half = plan.precision == Precision::kHalf ? " half/2" : "";
  // Before this number what LibTorch computed on the CPU depended on the number of threads.
  const std::string cpu = plan.kernels == "libtorch" || plan.kernels.starts_with("libtorch+") ? " cpu/2" : "";
  return version + model.info().architecture + " x" + std::to_string(model.info().scale) + " " +
         model.info().digest + noise + half + cpu + " " + plan.Describe() + " " + options.file.Text() + " " +
         ImageLibraryVersions();
}

}  // namespace

int LargestTile(const NumericsPlan& plan) {
  return plan.tile + 2 * plan.overlap;
}

size_t BytesOfOneTile(const NumericsPlan& plan, int scale) {
  const int64_t side = LargestTile(plan);
  return PlanesInFlight(plan, scale, side, side) + static_cast<size_t>(3 * side * scale * plan.tile * scale);
}

ModelOperation::ModelOperation(const UpscaleOptions& options, const CommandServices& services,
                               UpscaleModel& model, const NumericsPlan& plan, BatchScheduler& scheduler)
    : UpscaleOperation(options, ModelFingerprint(options, model, plan), services),
      model_(model),
      plan_(plan),
      scheduler_(scheduler) {}

Layout ModelOperation::OutputLayout(const Layout& input) const {
  Layout whole = input;
  whole.width *= model_.info().scale;
  whole.height *= model_.info().scale;
  return whole;
}

Result<ItemPlan> ModelOperation::Plan(const Item& item) const {
  const int64_t rows = plan_.tile > 0 ? plan_.tile : kUntiled;
  ItemPlan plan(item.main.header, Reading(), {rows, plan_.overlap});
  const Layout& input = plan.input;
  const int64_t scale = model_.info().scale;
  const int64_t side = plan_.tile > 0 ? LargestTile(plan_) : kUntiled;
  const int64_t tile_width = std::min(input.width, side);
  const int64_t tile_height = std::min(input.height, side);
  const Layout whole = OutputLayout(input);
  Layout band = whole;
  band.height = std::min(input.height, rows) * scale;
  const size_t tile = TileBytes(model_, input, tile_width, tile_height) +
                      TileBytes(model_, input, tile_width * scale, tile_height * scale);
  plan.work = {
      static_cast<size_t>(plan_.micro_batch) * tile + band.row_bytes() * static_cast<size_t>(band.height), 0};
  return WithOutput(std::move(plan), whole);
}

class ModelOperation::Task final : public ItemTask {
 public:
  Task(ModelOperation& operation, const Item& item, const Layout& input, std::string relative,
       std::unique_ptr<ImageOutput> output)
      : operation_(operation),
        item_(item),
        passes_(AsSamples(operation.model_, input) ? AllAtOnce(input) : PassesFor(input)),
        visit_(std::in_place, operation.scheduler_),
        relative_(std::move(relative)),
        output_(std::move(output)) {}

  Status Map(const Region& region) override {
    if (!visit_) visit_.emplace(operation_.scheduler_);
    const int64_t scale = operation_.model_.info().scale;
    const Layout& rows = region.view.layout;
    if (band_.view().data == nullptr) {  // the first region is the tallest
      Layout layout = rows;
      layout.width *= scale;
      layout.height = region.own_rows * scale;
      band_ = Image(layout);
    }
    for (; pass_ < passes_.size(); ++pass_, next_x_ = 0) {
      TRY(RunPass(region, passes_[pass_]));
    }
    pass_ = 0;
    if (KeepsFlatAlpha()) KeepFlatAlpha(region, scale, {band_.row(0), band_.layout()});
    ImageView band = band_.view();
    band.layout.height = region.own_rows * scale;
    writing_ = true;
    Status written = output_->Write(band);
    writing_ = !written.ok();
    return written;
  }

  /// Bands that were written and tiles of the present one are kept. What the encoder made of a band when it
  /// ran out of memory nobody knows.
  bool Suspend() override {
    visit_.reset();
    return !writing_;
  }

  Status Finish(Outcome& outcome) override {
    TRY(operation_.Commit(*output_, item_, relative_, outcome));
    outcome.rung = std::max(outcome.rung, rung_);
    return {};
  }

 private:
  /// One tile of a band: where it lies in the rows, and its planes, which the next tile takes over.
  struct Tile {
    TileJob job;
    int64_t x = 0;  // of the own rectangle, in the image
    Buffer input;
    Buffer output;
  };

  /// The device takes a pixel's bands apart.
  static std::vector<PlanePass> AllAtOnce(const Layout& input) { return {{{}, 0, input.bands}}; }

  bool KeepsFlatAlpha() const { return operation_.plan_.tile == 0 || operation_.plan_.overlap >= kFlatReach; }

  Status RunPass(const Region& region, const PlanePass& pass) {
    const NumericsPlan& plan = operation_.plan_;
    const int64_t width = region.view.layout.width;
    const int64_t step = plan.tile > 0 ? plan.tile : width;
    const size_t in_flight = static_cast<size_t>(std::max(1, plan.micro_batch));
    tiles_.resize(in_flight);
    while (next_x_ < width) {
      std::vector<TileJob> jobs;
      int64_t x = next_x_;
      for (; x < width && jobs.size() < in_flight; x += step) {
        if (NeedsNoNetwork(region, pass, x, step)) continue;
        Tile& tile = tiles_[jobs.size()];
        CutTile(region, pass, x, step, tile);
        jobs.push_back(tile.job);
      }
      const Status ran = jobs.empty() ? Status() : operation_.scheduler_.Run(jobs);
      for (const TileJob& job : jobs) rung_ = std::max(rung_, job.rung);
      if (!ran) return ran;
      for (size_t i = 0; i < jobs.size(); ++i) Place(tiles_[i], pass);
      next_x_ = x;
    }
    return {};
  }

  /// The alpha of a tile is flat throughout, and so written when the band is there.
  bool NeedsNoNetwork(const Region& region, const PlanePass& pass, int64_t x, int64_t step) const {
    const Layout& rows = region.view.layout;
    if (!KeepsFlatAlpha() || !rows.has_alpha() || pass.first_band != rows.bands - 1) return false;
    const int64_t left = std::max<int64_t>(0, x - operation_.plan_.overlap);
    const int64_t right = std::min(rows.width, x + step + operation_.plan_.overlap);
    return IsAlphaFlat(region.view, left, right - left);
  }

  /// Buffers are made once and grow where they must: each allocation is one that may be refused.
  static void Need(Buffer& buffer, size_t bytes) {
    if (buffer.size() >= bytes) return;
    buffer = Buffer();
    buffer = Buffer(HostPool(), bytes);
  }

  void CutTile(const Region& region, const PlanePass& pass, int64_t x, int64_t step, Tile& tile) {
    const Layout& rows = region.view.layout;
    const int64_t overlap = operation_.plan_.overlap;
    const int64_t left = std::max<int64_t>(0, x - overlap);
    const int64_t own_width = std::min(step, rows.width - x);
    const int64_t right = std::min(rows.width, x + own_width + overlap);
    const int64_t scale = operation_.model_.info().scale;
    const UpscaleModel& model = operation_.model_;
    tile.x = x;
    Need(tile.input, TileBytes(model, rows, right - left, rows.height));
    Need(tile.output, TileBytes(model, rows, (right - left) * scale, rows.height * scale));
    if (AsSamples(model, rows)) {
      tile.job.form = FormOf(rows);
      tile.job.samples = {reinterpret_cast<const std::byte*>(tile.input.data()),
                          reinterpret_cast<std::byte*>(tile.output.data())};
      CopyPixels(reinterpret_cast<const std::byte*>(region.view.data), {region.view.stride, left, 0},
                 reinterpret_cast<std::byte*>(tile.input.data()),
                 {tile.job.form.Bytes(1, static_cast<int>(right - left)), 0, 0}, rows.height, right - left,
                 tile.job.form.Bytes(1, 1));
    } else {
      auto* planes = reinterpret_cast<float*>(tile.input.data());
      ToPlanes(region.view, left, 0, right - left, rows.height, pass.map, planes);
      tile.job.input = planes;
      tile.job.output = reinterpret_cast<float*>(tile.output.data());
    }
    tile.job.height = static_cast<int>(rows.height);
    tile.job.width = static_cast<int>(right - left);
    tile.job.own_x = static_cast<int>(x - left);
    tile.job.own_y = static_cast<int>(region.context_above);
    tile.job.own_width = static_cast<int>(own_width);
    tile.job.own_height = static_cast<int>(region.own_rows);
  }

  void Place(const Tile& tile, const PlanePass& pass) {
    const int scale = operation_.model_.info().scale;
    const TileJob& job = tile.job;
    if (job.form.bits > 0) {
      CopyPixels(job.samples.output,
                 {job.form.Bytes(1, job.width * scale), job.own_x * scale, job.own_y * scale},
                 reinterpret_cast<std::byte*>(band_.row(0)), {band_.layout().row_bytes(), tile.x * scale, 0},
                 int64_t{job.own_height} * scale, int64_t{job.own_width} * scale, job.form.Bytes(1, 1));
      return;
    }
    FromPlanes(job.output, int64_t{job.width} * scale, int64_t{job.height} * scale,
               int64_t{job.own_x} * scale, int64_t{job.own_y} * scale, int64_t{job.own_width} * scale,
               int64_t{job.own_height} * scale, pass.first_band, pass.bands, {band_.row(0), band_.layout()},
               tile.x * scale, 0);
  }

  ModelOperation& operation_;
  const Item& item_;
  const std::vector<PlanePass> passes_;
  std::optional<BatchScheduler::Visit> visit_;  ///< none between attempts
  std::string relative_;
  std::unique_ptr<ImageOutput> output_;
  Rung rung_ = Rung::kNone;
  std::vector<Tile> tiles_;  ///< as many as are in flight
  Image band_;
  // What a band that was not finished continues with.
  size_t pass_ = 0;
  int64_t next_x_ = 0;  ///< of the first tile that is not in the band yet
  bool writing_ = false;
};

Result<std::unique_ptr<ItemTask>> ModelOperation::Start(const Item& item, const ItemPlan& plan) {
  std::string relative = OutputName(item.file);
  std::unique_ptr<ImageOutput> output = TRY(CreateOutput(item, relative, OutputLayout(plan.input)));
  return std::unique_ptr<ItemTask>(
      std::make_unique<Task>(*this, item, plan.input, std::move(relative), std::move(output)));
}

}  // namespace imgmill
