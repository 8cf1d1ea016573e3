// Damaged weight files: cut short anywhere, or with bytes changed, they give tensors or an error, and nothing
// worse. Run it under AddressSanitizer to see that no byte beyond a buffer is touched.
#include <unistd.h>

#include <cstdint>
#include <random>

#include "networks/weights/state_dict.h"
#include "torch/checkpoint_builder.h"
#include "torch/torch_fixture.h"

using namespace imgmill;
using namespace pickled;

namespace {

/// Reads the file; true if it gave tensors. All memory must be back afterwards.
bool ReadsWithoutHarm(const std::string& path) {
  const size_t before = HostPool().Stats().live;
  bool read = false;
  {
    const Result<StateDict> weights = ReadStateDict(path);
    read = weights.ok();
    if (!read) CHECK(!weights.error().message.empty());
  }
  CHECK(HostPool().Stats().live == before);
  return read;
}

/// Cuts the file at `step` after `step` bytes, from its end; none of the pieces may pass for the whole.
void CheckTruncations(const WeightFolder& folder, const std::string& bytes, size_t step) {
  const std::string path = folder.Write("cut", bytes);
  REQUIRE(ReadsWithoutHarm(path));
  for (size_t size = (bytes.size() - 1) / step * step; size > 0; size -= step) {
    REQUIRE(truncate(path.c_str(), static_cast<off_t>(size)) == 0);
    CAPTURE(size);
    CHECK(!ReadsWithoutHarm(path));
  }
}

/// Changes one to three bytes within [first, first + count), many times.
void CheckFlips(const WeightFolder& folder, const std::string& bytes, size_t first, size_t count, int times) {
  std::mt19937 random(static_cast<unsigned>(bytes.size()));
  for (int i = 0; i < times; ++i) {
    std::string changed = bytes;
    for (unsigned j = 0; j < 1 + random() % 3; ++j) {
      changed[first + random() % std::min(count, bytes.size() - first)] = static_cast<char>(random());
    }
    ReadsWithoutHarm(folder.Write("flipped", changed));
  }
}

std::string SmallLegacy() {
  const std::vector<float> six = {0, 1, 2, 3, 4, 5};
  return LegacyCheckpoint(Dict({{"state_dict", Dict({{"a", Tensor(Storage("0", 6), 0, {2, 3}, {3, 1})},
                                                     {"b", Tensor(Storage("0", 6), 0, {3, 2}, {1, 3})}})}}),
                          six);
}

}  // namespace

TEST_CASE("small checkpoints, cut at every byte and changed at random") {
  const WeightFolder folder;
  CheckTruncations(folder, SmallLegacy(), 1);
  CheckFlips(folder, SmallLegacy(), 0, SIZE_MAX, 3000);
  const std::string pickle = "\x80\x02" + Dict({{"w", Tensor(Storage("0", 6), 0, {6}, {1})}}) + ".";
  const std::string zip =
      Zip({{"a/data.pkl", pickle}, {"a/byteorder", "little"}, {"a/data/0", std::string(24, 'x')}});
  CheckTruncations(folder, zip, 1);
  CheckFlips(folder, zip, 0, SIZE_MAX, 3000);
  const std::string attributes = Dict({{"visual", Global("__torch__.A", "A") + ")\x81" + Dict({}) + "b"},
                                       {"token_embedding", Tensor(Storage("0", 6), 0, {6}, {1})},
                                       {"logit_scale", "N"}});
  const std::string program =
      Zip({{"a/data.pkl", "\x80\x02" + Global("__torch__.B", "B") + ")\x81" + attributes + "b."},
           {"a/constants.pkl", "\x80\x02)."},
           {"a/data/0", std::string(24, 'x')}});
  CheckTruncations(folder, program, 1);
  CheckFlips(folder, program, 0, SIZE_MAX, 3000);
  const std::string header = R"({"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}})";
  const std::string safetensors = LittleEndian(header.size(), 8) + header + std::string(24, 'x');
  CheckTruncations(folder, safetensors, 1);
  CheckFlips(folder, safetensors, 0, 8 + header.size(), 3000);
}

TEST_CASE("real files, cut at every 64th byte") {
  const auto assets = Asset("weights/");
  if (!assets) return;
  const WeightFolder folder;
  CheckTruncations(folder, ReadBytes(*assets + "realesrgan/realesr-animevideov3-x4.safetensors"), 64);
  CheckTruncations(folder, ReadBytes(*assets + "realesrgan/realesr-animevideov3-x4.pth"), 64);
  CheckTruncations(folder, ReadBytes(*assets + "LAION-AI+aesthetic-predictor/sa_0_4_vit_b_16_linear.pth"), 1);
  // Its five pickles are read before the cut shows, so each piece takes a millisecond.
  CheckTruncations(
      folder, ReadBytes(*assets + "akamaster+pytorch_resnet_cifar10/pretrained_models/resnet20-12fca82f.th"),
      1024);
}

TEST_CASE("real files with bytes changed at random") {
  const auto assets = Asset("weights/");
  if (!assets) return;
  const WeightFolder folder;
  const std::string safetensors = ReadBytes(*assets + "realesrgan/realesr-animevideov3-x4.safetensors");
  CheckFlips(folder, safetensors, 0, 5000, 300);  // the header
  const std::string zip = ReadBytes(*assets + "LAION-AI+aesthetic-predictor/sa_0_4_vit_b_16_linear.pth");
  CheckFlips(folder, zip, 0, SIZE_MAX, 2000);
  const std::string legacy =
      ReadBytes(*assets + "akamaster+pytorch_resnet_cifar10/pretrained_models/resnet20-12fca82f.th");
  CheckFlips(folder, legacy, 0, 24'000, 300);  // the pickles
}
