// Weight files whose values are a formula, so that the scripts in tests/golden know them too.
#pragma once

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "torch/torch_fixture.h"

/// Numbers from -0.5 to 0.5 that depend on the name; the same as `formula` there.
class Formula {
 public:
  explicit Formula(const std::string& name) {
    for (const char c : name) seed_ = (seed_ ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  }
  double Next() {
    uint64_t x = seed_ + at_++ * 0x9E3779B97F4A7C15;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
    x ^= x >> 31;
    return static_cast<double>(x >> 40) / (1 << 24) - 0.5;
  }

 private:
  uint64_t seed_ = 0xCBF29CE484222325;
  uint64_t at_ = 0;
};

/// A .safetensors file of float32 tensors. Values belong to the first name of each, which the file may call
/// otherwise.
class FormulaWeights {
 public:
  void Add(const std::string& name, const std::vector<int>& shape, const std::string& called,
           double times = 1) {
    int count = 1, inputs = 1;
    std::string sizes;
    for (size_t i = 0; i < shape.size(); ++i) {
      count *= shape[i];
      if (i > 0) inputs *= shape[i];
      sizes += (i > 0 ? "," : "") + std::to_string(shape[i]);
    }
    const double factor = times * 3 / std::sqrt(shape.size() > 1 ? inputs : 16);
    std::vector<float> drawn(static_cast<size_t>(count));
    Formula values(name);
    for (float& each : drawn) {
      double value = values.Next() * factor;
      if (name.ends_with("running_var")) value = std::abs(value) + 0.5;
      if (name.ends_with(".model.1.weight")) value = std::abs(value);  // LPIPS's are not negative
      each = static_cast<float>(value);
    }
    AddValues(drawn, sizes, called);
  }
  /// A tensor of these values. `sizes`: "3,1,8"
  void AddValues(const std::vector<float>& values, const std::string& sizes, const std::string& called) {
    const size_t begin = data_.size();
    data_.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
    header_ += (header_.empty() ? "\"" : ",\"") + called + R"(":{"dtype":"F32","shape":[)" + sizes +
               R"(],"data_offsets":[)" + std::to_string(begin) + "," + std::to_string(data_.size()) + "]}";
  }
  /// `name`.weight and `name`.bias of a convolution.
  void AddConvolution(const std::string& name, int out, int in, const std::string& called, int side = 3) {
    Add(name + ".weight", {out, in, side, side}, called + ".weight");
    Add(name + ".bias", {out}, called + ".bias");
  }
  /// Text beside the tensors.
  void AddMetadata(const std::string& key, const std::string& text) {
    metadata_ += (metadata_.empty() ? "\"" : ",\"") + key + "\":\"" + text + "\"";
  }
  std::string Write(const WeightFolder& folder) const {
    const std::string header =
        "{" + header_ + (metadata_.empty() ? "" : ",\"__metadata__\":{" + metadata_ + "}") + "}";
    return folder.Write("formula.safetensors", LittleEndian(header.size(), 8) + header + data_);
  }

 private:
  std::string header_, metadata_, data_;
};
