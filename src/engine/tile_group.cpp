// Runs equal tiles in micro-batches of the plan's size, or, on lower rungs, in smaller batches and parts of
// tiles.
#include "tile_group.h"

#include <algorithm>

#include "base/try.h"
#include "imgmill/memory/stop_scope.h"
#include "sample_tiles.h"

namespace imgmill {
namespace {

constexpr int kBands = 3;
constexpr int kSmallestTile = 64;  // of a smaller one, context is most of the work

/// Copies a rectangle of planar float rows.
void CopyPlanes(const float* from, int from_height, int from_width, int from_y, int from_x, float* to,
                int to_height, int to_width, int to_y, int to_x, int height, int width) {
  const auto stride = [](int plane_width) { return static_cast<size_t>(plane_width) * sizeof(float); };
  const auto plane = [](int band, int plane_height, int plane_width) {
    return static_cast<size_t>(band) * static_cast<size_t>(plane_height) * static_cast<size_t>(plane_width);
  };
  for (int band = 0; band < kBands; ++band) {
    CopyPixels(reinterpret_cast<const std::byte*>(from + plane(band, from_height, from_width)),
               {stride(from_width), from_x, from_y},
               reinterpret_cast<std::byte*>(to + plane(band, to_height, to_width)),
               {stride(to_width), to_x, to_y}, height, width, sizeof(float));
  }
}

/// Replaces the last part by its pieces of `side` pixels at most each way, the top left one last. Whole or
/// not at all: a part that was lost here would be missing in the image.
void CutLast(int side, std::vector<TilePart>& parts) {
  const TilePart whole = parts.back();
  const auto pieces = [side](int length) { return static_cast<size_t>((length + side - 1) / side); };
  parts.reserve(parts.size() + pieces(whole.width) * pieces(whole.height));  // the only thing that can fail
  parts.pop_back();
  const size_t before = parts.size();
  for (int y = 0; y < whole.height; y += side) {
    for (int x = 0; x < whole.width; x += side) {
      parts.push_back(
          {whole.x + x, whole.y + y, std::min(side, whole.width - x), std::min(side, whole.height - y)});
    }
  }
  std::reverse(parts.begin() + static_cast<std::ptrdiff_t>(before), parts.end());
}

/// A part of a tile with its context, as a tile of its own.
class Piece {
 public:
  Piece(const TileJob& whole, int height, int width, int scale)
      : input_(HostPool(), Bytes(whole.form, height, width)),
        output_(HostPool(), Bytes(whole.form, height * scale, width * scale)) {
    tile_.height = height;
    tile_.width = width;
    tile_.form = whole.form;
    tile_.input = reinterpret_cast<const float*>(input_.data());
    tile_.output = reinterpret_cast<float*>(output_.data());
    tile_.samples = {reinterpret_cast<const std::byte*>(input_.data()),
                     reinterpret_cast<std::byte*>(output_.data())};
  }
  TileJob& tile() { return tile_; }

  /// Copies its input from that place of the whole's.
  void Take(const TileJob& whole, int top, int left) {
    if (tile_.form.bits == 0) {
      CopyPlanes(whole.input, whole.height, whole.width, top, left, reinterpret_cast<float*>(input_.data()),
                 tile_.height, tile_.width, 0, 0, tile_.height, tile_.width);
    } else {
      CopyPixels(whole.samples.input, {whole.form.Bytes(1, whole.width), left, top},
                 reinterpret_cast<std::byte*>(input_.data()), {tile_.form.Bytes(1, tile_.width), 0, 0},
                 tile_.height, tile_.width, tile_.form.Bytes(1, 1));
    }
  }

  /// Copies what was made of `part` of it to (x, y) of the whole's output; all are in input pixels.
  void Give(const TilePart& part, int x, int y, int scale, const TileJob& whole) const {
    if (tile_.form.bits == 0) {
      CopyPlanes(tile_.output, tile_.height * scale, tile_.width * scale, part.y * scale, part.x * scale,
                 whole.output, whole.height * scale, whole.width * scale, y * scale, x * scale,
                 part.height * scale, part.width * scale);
    } else {
      CopyPixels(tile_.samples.output,
                 {tile_.form.Bytes(1, tile_.width * scale), part.x * scale, part.y * scale},
                 whole.samples.output, {whole.form.Bytes(1, whole.width * scale), x * scale, y * scale},
                 part.height * scale, part.width * scale, tile_.form.Bytes(1, 1));
    }
  }

 private:
  static size_t Bytes(const SampleForm& form, int height, int width) {
    if (form.bits > 0) return form.Bytes(height, width);
    return static_cast<size_t>(kBands) * static_cast<size_t>(height) * static_cast<size_t>(width) *
           sizeof(float);
  }

  Buffer input_, output_;
  TileJob tile_;
};

}  // namespace

int TileGroup::smallest_tile() const {
  // A global architecture looks at its whole input: another tile would be another result.
  return model_.info().receptive_radius < 0 ? 0 : kSmallestTile;
}

size_t TileGroup::ExpectedBytes(const Attempt& attempt) const {
  const TileJob& job = *jobs_[0];
  if (attempt.tile == 0 || attempt.tile >= plan_.tile)
    return predict_(std::max(1, attempt.micro_batch), job.height, job.width);
  const int side = attempt.tile + 2 * plan_.overlap;
  return predict_(1, std::min(side, job.height), std::min(side, job.width));
}

Result<ModelStream*> ThreadStreams::On(WorkPlace place) {
  std::unique_ptr<ModelStream>& stream = place == kCpuRung ? cpu_ : own_;
  if (stream == nullptr) {
    const Precision precision = place == kCpuRung ? Precision::kFloat32 : precision_;
    std::unique_ptr<ModelStream> opened = TRY(model_.OpenStream(place, precision));
    stream = std::move(opened);
  }
  return stream.get();
}

Status TileGroup::Run(const Attempt& attempt) {
  ModelStream* stream = TRY(streams_.On(attempt.place));
  std::vector<TileJob*> left;
  for (TileJob* job : jobs_) {
    if (!job->done) left.push_back(job);
  }
  const bool in_parts = attempt.tile > 0 && attempt.tile < plan_.tile;
  const int batch = in_parts ? 1 : std::max(1, attempt.micro_batch);
  for (size_t first = 0; first < left.size(); first += static_cast<size_t>(batch)) {
    const std::span<TileJob* const> some =
        std::span(left).subspan(first, std::min(static_cast<size_t>(batch), left.size() - first));
    const Status status =
        in_parts ? RunInParts(*stream, attempt, *some[0]) : Forward(*stream, attempt.place, some, batch);
    if (!status) return status;
    for (TileJob* job : some) {
      job->done = true;
      job->rung = std::max(job->rung, attempt.rung);  // another device may have tried before
    }
  }
  return {};
}

Error StoppedInWork() {
  return {Stage::kCompute, Code::kInterrupted, "stopped by a signal"};
}

/// Whatever the stream made of a batch that it may have left: it is no result, nor is its error one.
Status TileGroup::Forward(ModelStream& stream, WorkPlace place, std::span<TileJob* const> jobs, int n) {
  if (stop_.StopRequested()) return StoppedInWork();
  const StopScope scope(stop_);
  const Status status = ForwardToEnd(stream, place, jobs, n);
  return stop_.StopRequested() ? Status(StoppedInWork()) : status;
}

Status TileGroup::ForwardToEnd(ModelStream& stream, WorkPlace place, std::span<TileJob* const> jobs, int n) {
  const TileJob& first = *jobs[0];
  if (first.form.bits == 0) {
    std::vector<BatchImage> images;
    for (const TileJob* job : jobs) images.push_back({job->input, job->output});
    return stream.Run(images, n, first.height, first.width);
  }
  std::vector<SampleImage> images;
  for (const TileJob* job : jobs) images.push_back(job->samples);
  if (place.IsDevice() && model_.TakesSamples())
    return stream.RunSamples(images, first.form, n, first.height, first.width);
  return RunAsPlanes(stream, model_.info().scale, images, first.form, first.height, first.width);
}

Status TileGroup::RunInParts(ModelStream& stream, const Attempt& attempt, TileJob& job) {
  const int scale = model_.info().scale;
  const int multiple = std::max(1, model_.info().tile_grid);
  const int part = std::max(multiple, attempt.tile / multiple * multiple);
  std::vector<TilePart>& parts = job.parts_left;
  if (parts.empty()) parts.push_back({job.own_x, job.own_y, job.own_width, job.own_height});
  while (!parts.empty()) {
    const TilePart next = parts.back();
    if (next.width > part || next.height > part) {
      CutLast(part, parts);
      continue;
    }
    const int top = std::max(0, next.y - plan_.overlap);
    const int left = std::max(0, next.x - plan_.overlap);
    Piece piece(job, std::min(job.height, next.y + next.height + plan_.overlap) - top,
                std::min(job.width, next.x + next.width + plan_.overlap) - left, scale);
    piece.Take(job, top, left);
    TileJob* const alone = &piece.tile();
    TRY(Forward(stream, attempt.place, {&alone, 1}, 1));
    piece.Give({next.x - left, next.y - top, next.width, next.height}, next.x, next.y, scale, job);
    parts.pop_back();
  }
  return {};
}

}  // namespace imgmill
