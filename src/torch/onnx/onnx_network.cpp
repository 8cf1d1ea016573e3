#include "torch/onnx/onnx_network.h"

#include <algorithm>
#include <array>

#include "base/try.h"
#include "imgmill/base/path_text.h"
#include "networks/weights/weight_file.h"
#include "torch/onnx/onnx_runtime.h"
#include "torch/vector_network.h"

namespace imgmill {
namespace {

/// Owns what ONNX Runtime made.
template <typename T>
class OrtOwned {
 public:
  explicit OrtOwned(void (*release)(T*)) : release_(release) {}
  ~OrtOwned() {
    if (held_ != nullptr) release_(held_);
  }
  OrtOwned(const OrtOwned&) = delete;
  OrtOwned& operator=(const OrtOwned&) = delete;
  T* get() const { return held_; }
  T** out() { return &held_; }

 private:
  void (*release_)(T*);
  T* held_ = nullptr;
};

/// Names that exporters give the vector of an image, where a network has several outputs.
constexpr std::array<std::string_view, 6> kVectorNames = {
    "image_embeds", "image_embeddings", "embedding", "embeddings", "sentence_embedding", "pooler_output"};

std::string Listed(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + PrintablePath(name);
  return text;
}

class OnnxNetwork final : public VectorNetwork {
 public:
  OnnxNetwork(const OnnxRuntime& runtime, ModelInfo info)
      : VectorNetwork(std::move(info)), runtime_(runtime), session_(runtime.call.ReleaseSession) {
    info_.library = "onnxruntime " + runtime.version;
  }

  Status Read(const std::string& path) {
    OrtOwned<OrtSessionOptions> options(runtime_.call.ReleaseSessionOptions);
    TRY(Check(runtime_.call.CreateSessionOptions(options.out())));
    // An image is one thread's own, and all memory comes from the pools.
    TRY(Check(runtime_.call.SetIntraOpNumThreads(options.get(), 1)));
    TRY(Check(runtime_.call.SetInterOpNumThreads(options.get(), 1)));
    TRY(Check(runtime_.call.DisableCpuMemArena(options.get())));
    TRY(Check(runtime_.call.DisableMemPattern(options.get())));
    constexpr int kFatalOnly = 4;  // errors come as statuses
    TRY(Check(runtime_.call.SetSessionLogSeverityLevel(options.get(), kFatalOnly)));
    TRY(Check(runtime_.call.AddSessionConfigEntry(options.get(), "session.use_env_allocators", "1")));
    const Status made =
        Check(runtime_.call.CreateSession(runtime_.env, path.c_str(), options.get(), session_.out()));
    if (!made) {
      Error error = made.error();
      error.message =
          "not an ONNX model that ONNX Runtime " + runtime_.version + " can run: " + error.message;
      return error;
    }
    TRY(ReadInput());
    return ReadOutput();
  }

  /// 0 if images of any size are taken.
  int side() const { return side_; }

  NumericsPlan Plan(const std::string& device_type) const override {
    NumericsPlan plan = VectorNetwork::Plan(device_type);
    plan.kernels = "onnxruntime";
    return plan;
  }

  Result<torch::Tensor> Rows(const torch::Tensor& input, c10::Device) override {
    return OneByOne(input, [&](const torch::Tensor& image) { return Row(image); });
  }

 private:
  Status Check(OrtStatus* status) const { return runtime_.Check(status); }

  template <typename Get>
  Result<std::string> Name(const Get& get, size_t index) const {
    char* text = nullptr;
    TRY(Check(get(session_.get(), index, runtime_.names, &text)));
    std::string name = text;
    TRY(Check(runtime_.call.AllocatorFree(runtime_.names, text)));
    return name;
  }

  static Error Unfit(const std::string& why) {
    return {Stage::kConfigure, Code::kModelError, "the ONNX model " + why};
  }

  Status ReadInput() {
    size_t count = 0;
    TRY(Check(runtime_.call.SessionGetInputCount(session_.get(), &count)));
    if (count != 1) {
      std::vector<std::string> names;
      for (size_t i = 0; i < count; ++i) {
        std::string name = TRY(Name(runtime_.call.SessionGetInputName, i));
        names.push_back(std::move(name));
      }
      return Unfit("takes " + std::to_string(count) + " inputs (" + Listed(names) +
                   "), not an image alone: export the part that takes images");
    }
    std::string name = TRY(Name(runtime_.call.SessionGetInputName, 0));
    input_ = std::move(name);
    OrtOwned<OrtTypeInfo> type(runtime_.call.ReleaseTypeInfo);
    TRY(Check(runtime_.call.SessionGetInputTypeInfo(session_.get(), 0, type.out())));
    const OrtTensorInfo* tensor = nullptr;
    TRY(Check(runtime_.call.CastTypeInfoToTensorInfo(type.get(), &tensor)));
    if (tensor == nullptr) return Unfit("takes no tensor");
    int element = 0;
    size_t dimensions = 0;
    TRY(Check(runtime_.call.GetTensorElementType(tensor, &element)));
    TRY(Check(runtime_.call.GetDimensionsCount(tensor, &dimensions)));
    if (element != kOrtFloat)
      return Unfit("does not take float32: export it with inputs and outputs of float32");
    if (dimensions != 4)
      return Unfit("takes a tensor of " + std::to_string(dimensions) + " dimensions, not images");
    std::array<int64_t, 4> shape{};
    TRY(Check(runtime_.call.GetDimensions(tensor, shape.data(), shape.size())));
    if (shape[0] > 1)
      return Unfit("takes batches of " + std::to_string(shape[0]) + " only: export it for one image");
    channels_last_ = shape[3] == 3 && shape[1] != 3;
    const int64_t channels = channels_last_ ? shape[3] : shape[1];
    const int64_t height = channels_last_ ? shape[1] : shape[2], width = channels_last_ ? shape[2] : shape[3];
    if (channels > 0 && channels != 3)
      return Unfit("takes images of " + std::to_string(channels) + " channels");
    if (height > 0 && width > 0 && height != width)
      return Unfit("takes images of " + std::to_string(width) + "x" + std::to_string(height) +
                   ", not squares");
    side_ = static_cast<int>(std::max<int64_t>(0, std::max(height, width)));
    return {};
  }

  Status ReadOutput() {
    size_t count = 0;
    TRY(Check(runtime_.call.SessionGetOutputCount(session_.get(), &count)));
    std::vector<std::string> names;
    for (size_t i = 0; i < count; ++i) {
      std::string name = TRY(Name(runtime_.call.SessionGetOutputName, i));
      names.push_back(std::move(name));
    }
    if (count == 1) {
      output_ = names[0];
      return {};
    }
    for (const std::string_view known : kVectorNames) {
      if (std::find(names.begin(), names.end(), known) == names.end()) continue;
      output_ = known;
      return {};
    }
    return Unfit("has several outputs (" + Listed(names) +
                 "), and no name tells which is the image's vector: export it with that one alone");
  }

  /// The vector of one image as a row on the CPU.
  Result<torch::Tensor> Row(const torch::Tensor& image) const {
    const torch::Tensor on_host =
        (channels_last_ ? image.permute({0, 2, 3, 1}) : image).to(torch::kCPU).contiguous();
    OrtOwned<OrtValue> input(runtime_.call.ReleaseValue), output(runtime_.call.ReleaseValue);
    TRY(Check(runtime_.call.CreateTensorWithDataAsOrtValue(runtime_.host, on_host.data_ptr(),
                                                           on_host.nbytes(), on_host.sizes().data(), 4,
                                                           kOrtFloat, input.out())));
    const char* const input_name = input_.c_str();
    const char* const output_name = output_.c_str();
    const OrtValue* const given = input.get();
    TRY(Check(
        runtime_.call.Run(session_.get(), nullptr, &input_name, &given, 1, &output_name, 1, output.out())));
    OrtOwned<OrtTensorInfo> info(runtime_.call.ReleaseTensorTypeAndShapeInfo);
    TRY(Check(runtime_.call.GetTensorTypeAndShape(output.get(), info.out())));
    int element = 0;
    size_t dimensions = 0;
    TRY(Check(runtime_.call.GetTensorElementType(info.get(), &element)));
    TRY(Check(runtime_.call.GetDimensionsCount(info.get(), &dimensions)));
    std::vector<int64_t> shape(dimensions);
    TRY(Check(runtime_.call.GetDimensions(info.get(), shape.data(), shape.size())));
    if (element != kOrtFloat) return Unfit("does not give float32");
    TRY(GivesVectors(shape, image.size(2), image.size(3)));
    void* values = nullptr;
    TRY(Check(runtime_.call.GetTensorMutableData(output.get(), &values)));
    return torch::from_blob(values, shape, torch::kFloat32).reshape({1, -1}).clone();
  }

  const OnnxRuntime& runtime_;
  OrtOwned<OrtSession> session_;
  std::string input_, output_;
  bool channels_last_ = false;
  int side_ = 0;
};

}  // namespace

Result<std::unique_ptr<Network>> LoadOnnx(const std::string& path, int side) {
  const OnnxRuntime* runtime = TRY(OnnxRuntime::Open());
  WeightFile file = TRY(WeightFile::Open(path));
  ModelInfo info;
  info.architecture = "ONNX";
  std::string digest = TRY(file.Digest());
  info.digest = std::move(digest);
  info.weight_bytes = static_cast<size_t>(file.size());
  auto network = std::make_unique<OnnxNetwork>(*runtime, std::move(info));
  TRY(network->Read(path));
  if (side > 0 && network->side() > 0 && side != network->side()) {
    const std::string wanted = std::to_string(network->side());
    return Error{Stage::kConfigure, Code::kModelError,
                 "the ONNX model takes images of " + wanted + "x" + wanted + ": use --input-size " + wanted};
  }
  constexpr int kUsualSide = 224;
  TRY(network->TryOnOne(side > 0 ? side : network->side() > 0 ? network->side() : kUsualSide));
  return std::unique_ptr<Network>(std::move(network));
}

}  // namespace imgmill
