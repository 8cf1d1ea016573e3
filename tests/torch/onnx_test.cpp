// .onnx files through ONNX Runtime: a network written here field by field, whose vectors can be computed by
// hand.
#include <cstdlib>

#include "torch/onnx/onnx_network.h"
#include "torch/runtime.h"
#include "torch/torch_fixture.h"

using namespace imgmill;

namespace {

/// A protocol buffer's variable-length number.
std::string Varint(uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  return bytes + static_cast<char>(value);
}
std::string Number(int field, uint64_t value) {
  return Varint(static_cast<uint64_t>(field) << 3) + Varint(value);
}
std::string Text(int field, const std::string& bytes) {
  return Varint(static_cast<uint64_t>(field) << 3 | 2) + Varint(bytes.size()) + bytes;
}

// Fields of onnx.proto.
std::string Node(const std::string& operation, const std::vector<std::string>& inputs,
                 const std::string& output, const std::string& attributes = "") {
  std::string node;
  for (const std::string& input : inputs) node += Text(1, input);
  return node + Text(2, output) + Text(4, operation) + attributes;
}
std::string Port(const std::string& name, const std::vector<int>& shape, int element = 1) {
  std::string dimensions;
  for (const int side : shape)
    dimensions += Text(1, side < 0 ? Text(2, "any") : Number(1, static_cast<uint64_t>(side)));
  return Text(1, name) + Text(2, Text(1, Number(1, static_cast<uint64_t>(element)) + Text(2, dimensions)));
}
std::string Floats(const std::string& name, const std::vector<int>& shape, const std::vector<float>& values) {
  std::string tensor;
  for (const int side : shape) tensor += Number(1, static_cast<uint64_t>(side));
  std::string raw(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
  return tensor + Number(2, 1) + Text(8, name) + Text(9, raw);
}
std::string Model(const std::string& graph) {
  return Number(1, 8) + Text(2, "imgmill's test") + Text(7, graph) + Text(8, Number(2, 13));
}

/// The mean of each band times {{1, 2, 0, 0}, {0, 1, 1, 0}, {0, 0, 1, -1}}.
std::string MeansModel(const std::vector<int>& input_shape, const std::string& more_outputs = "") {
  const std::string graph =
      Text(1, Node("GlobalAveragePool", {"image"}, "means")) + Text(1, Node("Flatten", {"means"}, "flat")) +
      Text(1, Node("MatMul", {"flat", "weights"}, "vector")) + Text(2, "means") +
      Text(5, Floats("weights", {3, 4}, {1, 2, 0, 0, 0, 1, 1, 0, 0, 0, 1, -1})) +
      Text(11, Port("image", input_shape)) + Text(12, Port("vector", {-1, 4})) + more_outputs;
  return Model(graph);
}

struct Loader {
  Loader() {
    Result<std::unique_ptr<MemoryManager>> made = MemoryManager::Create({});
    REQUIRE(made.ok());
    manager = *std::move(made);
    runtime = MakeTorchRuntime(*manager, 2);
    REQUIRE(runtime->AddDevices("cpu", 0).ok());
  }
  Result<std::unique_ptr<EmbeddingModel>> Load(const std::string& bytes, int side = 8) const {
    EmbedderRequest request;
    request.side = side;
    return runtime->LoadEmbedder(folder.Write("x.onnx", bytes), request);
  }
  std::string Refusal(const std::string& bytes, int side = 8) const {
    const Result<std::unique_ptr<EmbeddingModel>> model = Load(bytes, side);
    return model ? std::string() : model.error().message;
  }
  WeightFolder folder;
  std::unique_ptr<MemoryManager> manager;
  std::unique_ptr<ModelRuntime> runtime;
};

bool Has(const std::string& text, const std::string& part) {
  const bool has = text.find(part) != std::string::npos;
  if (!has) MESSAGE(text);
  return has;
}

/// The library that scripts/setup.sh fetched.
bool FindsLibrary() {
  const std::string folder = IMGMILL_SOURCE_DIR "/.deps/onnxruntime";
  if (!std::filesystem::exists(folder)) {
    MESSAGE("SKIPPED: no ONNX Runtime in " << folder);
    return false;
  }
  ::setenv("ONNXRUNTIME", folder.c_str(), 1);
  return true;
}

}  // namespace

TEST_CASE("an ONNX file gives vectors, the same in any batch, from the pool's memory") {
  if (!FindsLibrary()) return;
  const Loader loader;
  const Result<std::unique_ptr<EmbeddingModel>> model = loader.Load(MeansModel({-1, 3, -1, -1}), 4);
  if (!model) FAIL(model.error().message);
  CHECK((*model)->info().architecture == "ONNX");
  REQUIRE((*model)->info().dimension == 4);
  constexpr int kPixels = 16;
  std::vector<float> images;
  for (const float first : {1.0f, 3.0f}) {
    for (int band = 0; band < 3; ++band)
      for (int i = 0; i < kPixels; ++i)
        images.push_back(first + static_cast<float>(band) + (i % 2 == 0 ? 0.5f : -0.5f));
  }
  std::vector<float> vectors(8);
  const PoolStats before = HostPool().Stats();
  REQUIRE((*model)->Forward(images.data(), vectors.data(), 2, 4, 4, WorkPlace::Device(0)));
  CHECK(HostPool().Stats().allocations > before.allocations + 2);
  CHECK(HostPool().Stats().live == before.live);
  // Means 1, 2, 3 and 3, 4, 5.
  CHECK(vectors == std::vector<float>{1, 4, 5, -3, 3, 10, 9, -5});
  std::vector<float> alone(4);
  REQUIRE((*model)->Forward(images.data() + 3 * kPixels, alone.data(), 1, 4, 4, WorkPlace::Device(0)));
  CHECK(std::equal(alone.begin(), alone.end(), vectors.begin() + 4));
}

TEST_CASE("an ONNX file that cannot give an image's vector is told why") {
  if (!FindsLibrary()) return;
  const Loader loader;
  CHECK(Has(loader.Refusal(MeansModel({1, 3, 8, 8}), 4), "takes images of 8x8: use --input-size 8"));
  CHECK(Has(loader.Refusal(MeansModel({4, 3, 8, 8})), "takes batches of 4 only"));
  CHECK(Has(loader.Refusal(Model(Text(1, Node("Flatten", {"image"}, "y")) + Text(2, "grey") +
                                 Text(11, Port("image", {1, 1, 8, 8})) + Text(12, Port("y", {1, 64})))),
            "takes images of 1 channels"));
  CHECK(Has(loader.Refusal(MeansModel({1, 3, 8, 6})), "not squares"));
  CHECK(Has(loader.Refusal(MeansModel({1, 3, 8, 8}, Text(12, Port("means", {-1, 3, 1, 1})))),
            "several outputs (vector, means)"));
  CHECK(Has(loader.Refusal(Model(Text(11, Port("image", {1, 3, 8, 8})) + Text(11, Port("text", {1, 77})) +
                                 Text(1, Node("Identity", {"image"}, "y")) + Text(2, "two") +
                                 Text(12, Port("y", {1, 3, 8, 8})))),
            "takes 2 inputs (image, text)"));
  std::string cut = MeansModel({1, 3, 8, 8});
  cut.resize(cut.size() - 40);
  CHECK(Has(loader.Refusal(cut), "not an ONNX model that ONNX Runtime"));
  CHECK(Has(loader.Refusal(Model(Text(1, Node("NoSuchThing", {"image"}, "y")) + Text(2, "odd") +
                                 Text(11, Port("image", {1, 3, 8, 8})) + Text(12, Port("y", {1, 4})))),
            "NoSuchThing"));
}

TEST_CASE("memory that a pool refuses to an ONNX file is known for what it is, and nothing leaks") {
  if (!FindsLibrary()) return;
  const Loader loader;
  const Result<std::unique_ptr<EmbeddingModel>> model = loader.Load(MeansModel({-1, 3, -1, -1}), 64);
  if (!model) FAIL(model.error().message);
  const std::vector<float> image(3 * 64 * 64, 0.5f);
  std::vector<float> vector(4);
  int refusals = 0;
  for (uint64_t k = 1;; ++k) {
    const size_t live = HostPool().Stats().live;
    HostPool().RefuseAllocation(k);
    const Status ran = (*model)->Forward(image.data(), vector.data(), 1, 64, 64, WorkPlace::Device(0));
    HostPool().RefuseAllocation(0);
    CHECK(HostPool().Stats().live == live);
    if (ran) break;
    ++refusals;
    CHECK(ran.error().code == Code::kOutOfMemory);
    REQUIRE(k < 100);
  }
  CHECK(refusals > 0);
  CHECK(vector == std::vector<float>{0.5f, 1.5f, 1.0f, -0.5f});
}
