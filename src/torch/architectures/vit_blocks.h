// The blocks that all vision transformers share: pre-norm attention and a perceptron, in their layouts.
#pragma once

#include <string>
#include <vector>

#include "torch/architectures/packed_linear.h"

namespace imgmill {

enum class VitActivation { kGelu, kGeluTanh, kQuickGelu };

torch::Tensor Activated(const torch::Tensor& x, VitActivation activation);

/// What a layout calls the tensors of one block, behind the block's own beginning. What is empty is not
/// there.
struct VitNames {
  std::string norm1 = {}, norm2 = {};
  std::string qkv_weight = {}, qkv_bias = {};    ///< queries, keys and values in one
  std::string query_bias = {}, value_bias = {};  ///< beside qkv_weight, and none of the keys
  std::string query = {}, key = {}, value = {};  ///< or each by itself
  std::string out = {};
  std::string up = {}, down = {};        ///< of the perceptron
  std::string gate = {};                 ///< SiLU(gate(x)) * up(x) in between
  std::string gate_and_up = {};          ///< the same with both in one
  std::string scale1 = {}, scale2 = {};  ///< factors of each feature behind attention and perceptron
};

struct VitShape {
  int64_t width = 0;
  int64_t heads = 0;
  double epsilon = 1e-5;
  VitActivation activation = VitActivation::kGelu;
  bool causal = false;  ///< a token sees those before it only
};

/// Angles of a rotary position embedding for the last tokens: cosines and sines of tokens x features of a
/// head.
struct VitRotation {
  torch::Tensor cosines, sines;
};

/// DINOv3's, for the patches of n x features x height x width, row by row: angles by a patch's row, by its
/// column, and both again, of their places in -1..1.
/// @param head  features of a head
VitRotation RotationByPlace(const torch::Tensor& patches, int64_t head);

class VitBlock {
 public:
  VitBlock(const VitNames& names, const std::string& beginning, const VitShape& shape, Layers& layers);
  /// n x tokens x width, which is overwritten
  torch::Tensor operator()(torch::Tensor x, const VitRotation* rotation = nullptr) const;
  /// Whether what a token gives does not depend, to the bit, on what other images there are.
  bool keeps_images_apart() const;

 private:
  VitShape shape_;
  LayerNorm norm1_, norm2_;
  PackedLinear qkv_, out_, up_, down_, gate_;
  torch::Tensor scale1_, scale2_;
};

/// How SigLIP ends: one learned query attends to all tokens; what it finds, with a perceptron added, is the
/// vector.
struct VitAttentionPool {
  VitShape shape;
  torch::Tensor probe;  ///< 1 x 1 x width
  Linear query, keys_and_values, out;
  LayerNorm norm;
  Linear up, down;
  /// n x tokens x width to n x width
  torch::Tensor operator()(const torch::Tensor& x) const;
};

/// `weight` and `bias` of out x in by their full names; without a bias where the file has none.
Linear DenseOf(Layers& layers, const std::string& weight, const std::string& bias, int64_t out, int64_t in);

/// n x heads x tokens x width of a head, of n x tokens x (heads * that).
torch::Tensor SplitHeads(const torch::Tensor& x, int64_t heads);
/// Softmax attention of such, as n x tokens x width again.
torch::Tensor Attended(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v,
                       bool causal = false);

/// How many blocks there are whose names begin with `beginning` and a number, and go on with `rest`.
int CountBlocks(const StateDict& weights, const std::string& beginning, const std::string& rest);

/// The side of a square of so many tokens; 0 where it is none.
int64_t SideOfSquare(int64_t tokens);

/// Heads leave no trace in the shapes. Published models of up to 1024 features have 64 a head; larger towers
/// for images and text have 16 heads.
int64_t TowerHeads(int64_t width);

/// Published: 16 heads for 1024 features (L), 20 for 1280 (H+), 32 for 4096 (7B), and 64 a head below.
int64_t Dinov3Heads(int64_t width);

}  // namespace imgmill
