// What a model looks like to the rest of the program: load, cost, forward, unload. LibTorch implements it,
// opened on first use from a loadable module, so that a run without a model never maps it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "imgmill/base/model_input.h"
#include "imgmill/base/result.h"
#include "imgmill/memory/footprint.h"
#include "imgmill/memory/memory_manager.h"
#include "imgmill/memory/numerics_plan.h"

namespace imgmill {

/// What a network that compares two images gives for both at once: for each of its layers, and each cell of a
/// square of cells, the sum of the distances at the layer's places in that cell, and the number of these
/// places. So the distance of two large images is known from tiles: the sum over layers of what all cells
/// sum up to, by the number of places.
struct PairCells {
  int layers = 0;
  int side = 0;     ///< of a cell, in pixels
  int across = 0;   ///< cells in a row, and rows
  int context = 0;  ///< pixels around a cell that determine its sums
};

/// Facts of a loaded model.
struct ModelInfo {
  std::string architecture;  ///< "SRVGGNetCompact"
  std::string digest;        ///< XXH3-128 or SHA-256 hex of the weight file
  int scale = 1;             ///< output pixels per input pixel, each way
  int wanted_scale = 0;      ///< what was asked for; 0 for the largest. It counts where a file has several
  /// Colour bands in and out: 3, or 1 for a network that takes grey; then it is shown each band by itself.
  int bands = 3;
  /// Input pixels. Tiles that overlap by this are exact; -1 means global: it pools over its whole input, so
  /// that the tile is a part of the result, and no rung cuts it further.
  int receptive_radius = 0;
  int tile_grid = 1;      ///< tiles begin on multiples of this, where a network has windows or strides
  int dimension = 0;      ///< floats in a vector; 0 for a model that gives images
  bool compares = false;  ///< the squared distance of two vectors is what it is about
  bool takes_noise_level = false;  ///< UpscalerRequest::noise_level
  /// Of one that is shown two images of one size, the first above the second: its vector has `layers` x
  /// `across` x `across` sums, and then as many numbers of places.
  std::optional<PairCells> pair_cells;
  std::string score;  ///< the signal that its vector of one number is: "aesthetic"; empty for other models
  /// What an embedding network was trained to be shown, as its architecture has it. TorchScript does not say.
  std::optional<ModelInput> input;
  size_t weight_bytes = 0;  ///< that the host holds once the model is loaded
  int64_t parameters = 0;   ///< numbers in the file's tensors
  int tensors = 0;
  std::string stored_as;  ///< "float32", "float16 and float32"
  /// What leaves no trace in the file and was taken as usual; empty where the tensors say it all.
  std::string assumed;
  std::string taken;  ///< the set of weights that it is, where the file has several: "params_ema"
  std::vector<std::string> aside;  ///< what else the file has: "params", "12 tensors below loss."
  std::string library;             ///< "libtorch 2.13.0": what runs it
  int threads = 1;                 ///< that one call may use
};

/// One image of a batch, planar and contiguous: 3 x height x width float32 in, OutputFloats out.
struct BatchImage {
  const float* input = nullptr;
  float* output = nullptr;
};

/// Pixels as files have them: interleaved rows without gaps.
struct SampleForm {
  int bits = 8;   ///< of a sample: 8, or 16 in the machine's order
  int bands = 3;  ///< one of grey or three of colour, and alpha behind them
  bool has_alpha() const { return bands % 2 == 0; }
  int colours() const { return has_alpha() ? bands - 1 : bands; }
  size_t Bytes(int height, int width) const {
    return static_cast<size_t>(bits / 8 * bands) * static_cast<size_t>(height) * static_cast<size_t>(width);
  }
  bool operator==(const SampleForm&) const = default;
};

/// One image of a batch, height x width pixels in, enlarged ones out, in one form.
struct SampleImage {
  const std::byte* input = nullptr;
  std::byte* output = nullptr;
};

/// What a batch takes in addition to its images, in bytes.
struct BatchCost {
  size_t bytes = 0;      ///< at the peak, of the device's memory
  size_t untracked = 0;  ///< the part of it that libraries allocate outside our pools
  size_t staging = 0;    ///< what a stream holds on the host for copies; the pools do not see it
  bool exact = true;     ///< observing would teach nothing
};

/// One thread's way to a device: it owns the buffers that images are gathered in and copied through.
class ModelStream {
 public:
  virtual ~ModelStream() = default;
  /// Runs images of one size as a batch of n, which is at least as many: missing ones are filled with the
  /// first, since the last bits of a result may depend on n. Temporaries are charged to the device. Errors:
  /// kOutOfMemory, kDeviceLost, kModelError. Never throws.
  virtual Status Run(std::span<const BatchImage> images, int n, int height, int width) = 0;
  /// The same, of a model that enlarges and TakesSamples: n images of colours, then n of alpha where there is
  /// one. The device makes planes of the samples, and rounds the result (half to even). Half precision is for
  /// 8 bits: deeper samples, and planes, are computed in float32 whatever the stream's is.
  virtual Status RunSamples(std::span<const SampleImage> images, const SampleForm& form, int n, int height,
                            int width);
  /// Images so far whose values half precision could not hold: they were done in float32.
  virtual int64_t beyond_half() const { return 0; }
};

/// One model on one or more devices. Thread-safe; a stream is one thread's at a time.
class BatchModel {
 public:
  virtual ~BatchModel() = default;
  virtual const ModelInfo& info() const = 0;
  virtual NumericsPlan Plan(const std::string& device_name) const = 0;

  /// On a device of the manager, or on the CPU that steps in for one, with host memory. The model must
  /// outlive it. Takes no memory before the first Run. An error only where there is no such device.
  /// @param precision  half only where HasHalf
  virtual Result<std::unique_ptr<ModelStream>> OpenStream(WorkPlace place,
                                                          Precision precision = Precision::kFloat32) = 0;
  /// Of float32, which is at least what half precision takes.
  virtual BatchCost Cost(int n, int height, int width, WorkPlace place) const = 0;
  /// Whether that device computes in half precision as well, and faster.
  virtual bool HasHalf(const std::string& /*device_name*/) const { return false; }
  /// Whether its devices are best given samples. The CPU that steps in for one takes planes.
  virtual bool TakesSamples() const { return false; }
  /// How many streams at once keep that device busy.
  virtual int Streams(int /*device*/) const { return 1; }

  /// Floats that one image of this size gives: a vector, or an image enlarged.
  size_t OutputFloats(int height, int width) const;
  /// n images that lie one after the other, once, through a stream that is opened for it.
  Status Forward(const float* input, float* output, int n, int height, int width, WorkPlace place);
};

/// Takes RGB of 0..1, and gives it enlarged and clamped to 0..1.
class UpscaleModel : public BatchModel {};

/// Takes images of one size, prepared as the model wants them, and gives a vector each, as the model made
/// it. Equal images give equal vectors whatever the number of threads.
class EmbeddingModel : public BatchModel {};

/// The part of a CLIP model that makes vectors of texts, in the space of its images' vectors. On the CPU;
/// one thread's at a time.
class TextModel {
 public:
  virtual ~TextModel() = default;
  virtual const ModelInfo& info() const = 0;
  virtual int context() const = 0;     ///< tokens of the longest text
  virtual int vocabulary() const = 0;  ///< tokens are below that
  /// What Embed takes at its peak.
  virtual Footprint Cost() const = 0;
  /// The vector of one text, as the model made it: info().dimension floats. It depends on nothing else, to
  /// the bit. The text ends with the first of its greatest tokens. Errors: kOutOfMemory, kModelError. Never
  /// throws.
  virtual Status Embed(std::span<const int32_t> tokens, std::span<float> vector) = 0;
};

/// What a network makes of an image: a larger one, a vector, a score (a vector of one number), or a vector
/// whose squared distance from another's says how different two images look.
enum class ModelTask { kUpscale, kEmbed, kScore, kCompare };

/// What a weight file can be recognised as.
struct KnownArchitecture {
  std::string name;
  std::string known_by;  ///< models: "ESRGAN, RealESRGAN_x4plus"
  std::string task;      ///< "upscale", "embed", "score", "compare"
};

struct KnownArchitectures {
  std::vector<KnownArchitecture> each;
  std::string left_out;  ///< why those that need LibTorch are not among them; empty where they are
};

/// What is asked of a network that makes images besides its weights.
struct UpscalerRequest {
  int scale = 0;  ///< which of several; 0 for the largest. A file with one scale is loaded with that one.
  /// How strong the noise is that a network is told to take away: the standard deviation, from 0 to 255, of
  /// 255. None: what the file says, or 15. Counts where ModelInfo::takes_noise_level.
  std::optional<double> noise_level = {};
};

/// What is asked of an embedding network besides its weights.
struct EmbedderRequest {
  /// Of the square images it will be shown. 0: what the weights say; 224 for TorchScript.
  int side = 0;
  /// "gelu", "quickgelu", or empty: what the weights say.
  std::string activation = {};
  /// What its vectors are to be for: one of the last three.
  ModelTask task = ModelTask::kEmbed;
  /// The weights of CLIP, for a head that judges its vectors.
  std::string clip = {};
  /// Of kCompare: two images at once, of up to `side` pixels each way, instead of a vector of each.
  bool pairs = false;
};

/// The CPU, or a part of it, as a device of the manager.
struct HostDevice {
  WorkPlace place = kCpuRung;
  Pool* pool = nullptr;
  int threads = 1;
};

/// What loads models, and the devices that they run on.
class ModelRuntime {
 public:
  virtual ~ModelRuntime() = default;
  virtual std::string version() const = 0;  ///< "libtorch 2.13.0+cpu"
  /// Devices by the user's words: "auto", "cpu", "cpu:0,cpu:1", "cuda", "cuda:1". Adds them to the manager.
  /// "cpu" alone is one host-backed device that shares the host pool's budget. @return how many were added
  virtual Result<int> AddDevices(const std::string& spec, size_t device_budget) = 0;
  /// Uses devices that another runtime added to the manager.
  virtual void TakeOver(const std::vector<HostDevice>& devices) = 0;
  /// Opens what loading that file needs, so that the memory for its weights can be looked at then. What is
  /// wrong with the file is told when it is loaded.
  virtual Status Prepare(const std::string& /*path*/) { return {}; }
  /// Reads .safetensors, .pth, .pt state dicts; the architecture is detected from the names and shapes in it.
  virtual Result<std::unique_ptr<UpscaleModel>> LoadUpscaler(const std::string& path,
                                                             const UpscalerRequest& request = {}) = 0;
  /// Reads any state dict, to look at it: its facts, plans and costs.
  virtual Result<std::unique_ptr<BatchModel>> LoadToLook(const std::string& path) = 0;
  virtual KnownArchitectures Known() = 0;
  /// Reads a state dict, as LoadUpscaler does, or a TorchScript file, and tries it on one image, to learn the
  /// vectors' length and what it costs. Errors say what the file is instead, or what the network complained
  /// about.
  virtual Result<std::unique_ptr<EmbeddingModel>> LoadEmbedder(const std::string& path,
                                                               const EmbedderRequest& request) = 0;
  /// The text tower beside the image tower that LoadEmbedder takes. kUsage where the file has none.
  virtual Result<std::unique_ptr<TextModel>> LoadTextTower(const std::string& path,
                                                           const EmbedderRequest& request) = 0;
};

/// What computes the layers on the CPU.
enum class KernelChoice {
  kFastest,    ///< our kernels for this processor's instructions, and LibTorch for what they do not have
  kReference,  ///< LibTorch alone
};

/// Opens the module (libimgmill_torch.so: next to the program, in ../lib/imgmill, or $IMGMILL_TORCH_MODULE)
/// on the first call. The manager must outlive the runtime. `threads` is the number of intra-op threads. The
/// kernels are those of all models that are loaded from then on.
Result<std::unique_ptr<ModelRuntime>> OpenModelRuntime(MemoryManager& manager, int threads,
                                                       KernelChoice kernels = KernelChoice::kFastest);

/// Whether a runtime was opened in this process before: LibTorch stays mapped, and its memory is spent.
bool LibTorchIsMapped();

/// What the module exports, by this name and with C linkage. `interface` is the caller's kModelInterface: a
/// module with a different one creates nothing. @return null on failure, with the reason in `*why`; never
/// throws.
using CreateModelRuntimeFn = ModelRuntime* (*)(int interface, MemoryManager* manager, int threads,
                                               KernelChoice kernels, std::string* why);
inline constexpr char kCreateModelRuntime[] = "imgmill_create_model_runtime";

/// To be raised with every change to the classes above: program and module must be from one build.
inline constexpr int kModelInterface = 13;

}  // namespace imgmill
