// A network that turns images into vectors, one image a thread: the form that TorchScript and the
// architectures for embedding share.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/try.h"
#include "imgmill/memory/pool.h"
#include "networks/edge.h"
#include "networks/network.h"
#include "torch/torch_headers.h"

namespace imgmill {

/// What oneDNN may take beside the tensors that are measured.
inline constexpr size_t kHostWorkspace = size_t{4} << 20;

/// Vectors depend neither on the number of threads nor on what else is in work.
class VectorNetwork : public Network {
 public:
  explicit VectorNetwork(ModelInfo info);

  const ModelInfo& info() const override { return info_; }
  NumericsPlan Plan(const std::string& device_type) const override;
  std::unique_ptr<Executor> MakeExecutor(std::shared_ptr<const DeviceSlot> slot) override;

  /// The vectors of n x 3 x height x width on that device, as the rows of a float32 tensor on the CPU. Called
  /// by several threads at once. @throws OutOfMemory, c10::Error
  virtual Result<torch::Tensor> Rows(const torch::Tensor& input, c10::Device device) = 0;

  /// How many images one thread of the CPU takes at once: more than one only where a vector does not depend,
  /// to the bit, on what else is in its batch.
  virtual int BatchOnHost() const { return 1; }

  /// Runs one image of 3 x height x width, to learn the vectors' length and what it costs.
  Status TryOnOne(int height, int width);
  Status TryOnOne(int side) { return TryOnOne(side, side); }

  /// The peak of a forward pass of one, measured.
  size_t bytes_an_image() const { return bytes_an_image_; }

 protected:
  ModelInfo info_;

 private:
  size_t bytes_an_image_ = 0;
};

/// The telling line of a long message: an interpreter puts a trace of its script in front of the reason.
std::string Reason(std::string_view text);

/// Runs a part of the loading. What it throws becomes an error that begins with `what`.
template <typename Body>
Status Explained(const std::string& what, Body&& body) {
  try {
    body();
    return {};
  } catch (const c10::Error& problem) {
    Error error = TranslateException(Stage::kConfigure);
    if (error.code == Code::kModelError)
      error.message = what + ": " + Reason(problem.what_without_backtrace());
    return error;
  } catch (const std::exception& problem) {
    Error error = TranslateException(Stage::kConfigure);
    if (error.code == Code::kModelError) error.message = what + ": " + Reason(problem.what());
    return error;
  }
}

/// Explained() with the part in a pool of its own, which may take what the host's has left.
/// @param peak  what it took
template <typename Body>
Status ExplainedAndMeasured(const std::string& what, size_t& peak, Body&& body) {
  const PoolStats host = HostPool().Stats();
  Pool measured("trial", host.cap - std::min(host.cap, host.charged - host.cached));
  Status ran = Explained(what, [&] {
    const PoolScope scope(measured);
    body();
  });
  peak = measured.Stats().peak_charged;
  return ran;
}

/// A kModelError where a network that brings its own program gives images as large as those that it is shown:
/// it enlarges or repairs them, and the values of its pixels are no vector. Bands come first or last.
inline Status GivesVectors(at::IntArrayRef given, int64_t height, int64_t width) {
  if (given.size() != 4) return {};
  const auto image = [&](int64_t bands, int64_t rows, int64_t columns) {
    return bands <= 4 && rows >= height && columns >= width;
  };
  if (!image(given[1], given[2], given[3]) && !image(given[3], given[1], given[2])) return {};
  return Error{
      Stage::kConfigure, Code::kModelError,
      "the network gives images, not vectors: programs that enlarge are not taken, as what they see around a "
      "pixel is not known; give upscale --model its weights"};
}

/// Rows of a network that may have been made for one image at a time: the others give the same vector
/// whatever the batch. `row` makes a row, a Result, of 1 x 3 x height x width.
template <typename Row>
Result<torch::Tensor> OneByOne(const torch::Tensor& input, const Row& row) {
  std::vector<torch::Tensor> rows;
  for (int64_t i = 0; i < input.size(0); ++i) {
    torch::Tensor one = TRY(row(input.narrow(0, i, 1)));
    rows.push_back(std::move(one));
  }
  return rows.size() == 1 ? rows[0] : torch::cat(rows);
}

}  // namespace imgmill
