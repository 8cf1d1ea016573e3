// A small network for tests that need any model, and none in particular.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "torch/torch_fixture.h"

/// A .safetensors file of a small SRVGGNetCompact with seeded weights.
/// @param gain  that they are larger than usual by
inline std::string SmallCompact(const WeightFolder& folder, int features, int convolutions, int scale,
                                bool slopes, const std::string& activation, float gain = 1) {
  std::mt19937 random(4);
  std::normal_distribution<float> normal;
  std::string header, data;
  const auto add = [&](int index, const std::string& what, const std::vector<int>& shape) {
    int count = 1;
    std::string sizes;
    for (const int size : shape) {
      count *= size;
      sizes += (sizes.empty() ? "" : ",") + std::to_string(size);
    }
    const size_t begin = data.size();
    for (int i = 0; i < count; ++i) {
      const float value = normal(random) * 0.1f * gain;
      data.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
    header += ",\"body." + std::to_string(index) + "." + what + R"(":{"dtype":"F32","shape":[)" + sizes +
              R"(],"data_offsets":[)" + std::to_string(begin) + "," + std::to_string(data.size()) + "]}";
  };
  for (int i = 0; i < convolutions; ++i) {
    const int out = i + 1 == convolutions ? 3 * scale * scale : features;
    add(2 * i, "weight", {out, i == 0 ? 3 : features, 3, 3});
    add(2 * i, "bias", {out});
    if (slopes && i + 1 < convolutions) add(2 * i + 1, "weight", {features});
  }
  if (!activation.empty()) header += R"(,"__metadata__":{"act_type":")" + activation + "\"}";
  header[0] = '{';
  header += "}";
  return folder.Write("small.safetensors", LittleEndian(header.size(), 8) + header + data);
}
