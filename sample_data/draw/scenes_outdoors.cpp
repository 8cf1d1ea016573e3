// Scenes under the sky.
#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "scenes.h"

namespace sample {
namespace {

// Clouds: noise above a threshold, thinner towards the horizon.
void Clouds(cv::Mat& canvas, Random& random, double horizon, double cover, uint32_t colour = 0xffffff) {
  cv::Mat amount = Noise(random, canvas.cols, canvas.rows, 220, 6);
  for (int y = 0; y < amount.rows; ++y) {
    const double fade = std::max(0.0, 1 - y / horizon);
    for (int x = 0; x < amount.cols; ++x) {
      float& value = amount.at<float>(y, x);
      value = static_cast<float>(std::min(1.0, 3 * fade * std::max(0.0, value - 1 + cover)));
    }
  }
  Tint(canvas, colour, amount);
}

void Fir(cv::Mat& canvas, double x, double foot, double height, uint32_t colour) {
  Box(canvas, x - height * 0.03, foot - height * 0.1, height * 0.06, height * 0.1, 0x4a3423);
  for (int tier = 0; tier < 4; ++tier) {
    const double top = foot - height * (1 - 0.2 * tier);
    const double half = height * (0.12 + 0.06 * tier);
    Shape(canvas, {{x, top}, {x + half, top + height * 0.32}, {x - half, top + height * 0.32}}, colour);
  }
}

void Boat(cv::Mat& canvas, double x, double water, double size, uint32_t hull, uint32_t sail) {
  Stroke(canvas, {x, water}, {x, water - size * 1.7}, 0x3c2a1e, 4);
  Shape(canvas,
        {{x + 4, water - size * 1.65}, {x + 4, water - size * 0.4}, {x + size * 0.85, water - size * 0.4}},
        sail);
  Shape(canvas,
        {{x - 4, water - size * 1.4}, {x - 4, water - size * 0.4}, {x - size * 0.5, water - size * 0.4}},
        sail);
  Shape(canvas,
        {{x - size * 0.8, water - size * 0.3},
         {x + size, water - size * 0.3},
         {x + size * 0.7, water},
         {x - size * 0.6, water}},
        hull);
}

}  // namespace

cv::Mat Harbour(Random random) {
  cv::Mat canvas = Gradient(960, 640, 0x5aa0d8, 0xf6e3c0);
  Clouds(canvas, random, 330, 0.5);
  Ridge(canvas, random, 300, 40, 200, 0x7f9aa8);
  cv::Mat sea = Gradient(960, 290, 0x3f86a6, 0x1d4a66);
  for (int wave = 0; wave < 500; ++wave) {
    const double y = random.Between(4, 290), x = random.Between(-20, 960), length = 8 + y * 0.22;
    Stroke(sea, {x, y}, {x + length, y}, random.Pick(2) == 0 ? 0x63abc4 : 0x2c6480,
           1 + static_cast<int>(y / 110));
  }
  sea.copyTo(canvas(cv::Rect(0, 350, 960, 290)));
  const uint32_t walls[] = {0xd8573f, 0xeec45a, 0xf2efe6, 0x5f8f7a, 0xc98a5a};
  for (int house = 0; house < 9; ++house) {
    const double x = 20 + house * 58, height = random.Between(60, 110);
    Box(canvas, x, 352 - height, 54, height, walls[house % 5]);
    Shape(canvas, {{x - 4, 353 - height}, {x + 58, 353 - height}, {x + 27, 322 - height}}, 0x7c3b2e);
    for (int window = 0; window < 4; ++window) {
      Box(canvas, x + 9 + 24 * (window % 2), 362 - height + 28 * (window / 2), 12, 16, 0x2e3f50);
    }
  }
  Boat(canvas, 680, 470, 110, 0x8c2f2b, 0xf7f3e8);
  Boat(canvas, 330, 560, 90, 0x244d6b, 0xf0c75e);
  Boat(canvas, 860, 400, 44, 0x3b3b3b, 0xffffff);
  Grain(canvas, random, 3);
  return canvas;
}

cv::Mat Mountains(Random random) {
  cv::Mat canvas = Gradient(960, 600, 0x2f6fb3, 0xfbd9b5);
  Disc(canvas, 730, 150, 52, 0xfff4d6);
  Glow(canvas, 730, 150, 240, 0xffe9b0, 0.6);
  const uint32_t layers[] = {0xa9b9cf, 0x8098b8, 0x5d7a9e, 0x3f5f80, 0x25435f};
  for (int layer = 0; layer < 5; ++layer)
    Ridge(canvas, random, 250 + 75 * layer, 130 - 14 * layer, 260, layers[layer]);
  for (int tree = 0; tree < 46; ++tree) {
    Fir(canvas, random.Between(0, 960), random.Between(560, 620), random.Between(50, 95), 0x16303f);
  }
  Grain(canvas, random, 3);
  return canvas;
}

cv::Mat Dunes(Random random) {
  cv::Mat canvas = Gradient(960, 600, 0x8fc4e8, 0xfdf0d2);
  const uint32_t light[] = {0xe9c48c, 0xe0b06d, 0xd39a55};
  const uint32_t shade[] = {0xb58a58, 0xa57745, 0x8f6236};
  for (int dune = 0; dune < 3; ++dune) {
    const double peak_x = 230 + 270 * dune, peak_y = 250 + 60 * dune;
    Shape(canvas, {{peak_x, peak_y}, {-700.0 + 200 * dune, 620}, {peak_x + 120, 620}}, light[dune]);
    Shape(canvas, {{peak_x, peak_y}, {peak_x + 120, 620}, {peak_x + 700, 620}}, shade[dune]);
  }
  for (int ripple = 0; ripple < 34; ++ripple) {
    const double y = 470 + ripple * 5;
    for (int x = 0; x < 960; x += 12) {
      Stroke(canvas, {x + 0.0, y + 6 * std::sin(x * 0.02 + ripple)},
             {x + 12.0, y + 6 * std::sin(x * 0.02 + 0.24 + ripple)}, ripple % 2 == 0 ? 0xc58d4b : 0xdaa665,
             2);
    }
  }
  Disc(canvas, 850, 90, 44, 0xfffbe8);
  Grain(canvas, random, 5);
  return canvas;
}

cv::Mat Forest(Random random) {
  cv::Mat canvas = Gradient(640, 900, 0xd7e6c9, 0x6f8f5a);
  for (int row = 0; row < 5; ++row) {
    const uint32_t colours[] = {0xa3bd98, 0x7fa07a, 0x587f5a, 0x3a633f, 0x1f4429};
    for (int tree = 0; tree < 10; ++tree) {
      Fir(canvas, random.Between(-20, 660), 420 + row * 120, random.Between(220, 330), colours[row]);
    }
  }
  Shape(canvas, {{300, 560}, {345, 560}, {470, 900}, {110, 900}}, 0xcdb38a);
  Glow(canvas, 320, 250, 330, 0xfffbe0, 0.55);
  Grain(canvas, random, 4);
  return canvas;
}

cv::Mat Balloons(Random random) {
  cv::Mat canvas = Gradient(800, 800, 0x4f9fe0, 0xd9effa);
  Clouds(canvas, random, 900, 0.42);
  const uint32_t field[] = {0x88ad4a, 0xc9b84f, 0x6f9a3f, 0xa2bf5e};
  for (int strip = 0; strip < 4; ++strip) Ridge(canvas, random, 660 + 38 * strip, 14, 320, field[strip]);
  const double place[][3] = {{260, 280, 150}, {590, 400, 100}, {640, 150, 62}, {90, 530, 46}};
  const uint32_t silk[][2] = {
      {0xd7263d, 0xf7d35c}, {0x1b998b, 0xf4f1de}, {0xf46036, 0x2e294e}, {0x8e44ad, 0xf2d7ee}};
  for (int balloon = 0; balloon < 4; ++balloon) {
    const double x = place[balloon][0], y = place[balloon][1], r = place[balloon][2];
    Stroke(canvas, {x - r * 0.5, y + r * 0.8}, {x - r * 0.14, y + r * 1.5}, 0x5b4636, 2);
    Stroke(canvas, {x + r * 0.5, y + r * 0.8}, {x + r * 0.14, y + r * 1.5}, 0x5b4636, 2);
    Box(canvas, x - r * 0.16, y + r * 1.5, r * 0.32, r * 0.22, 0x6b4a2f);
    Shape(canvas,
          {{x - r * 0.92, y + r * 0.38},
           {x + r * 0.92, y + r * 0.38},
           {x + r * 0.2, y + r * 1.25},
           {x - r * 0.2, y + r * 1.25}},
          silk[balloon][0]);
    Disc(canvas, x, y, r, silk[balloon][0]);
    // Gores: narrower ellipses, one inside the other.
    for (int gore = 0; gore < 3; ++gore) {
      cv::ellipse(canvas, cv::Point2d(x, y), cv::Size2d(r * (0.74 - 0.26 * gore), r), 0, 0, 360,
                  Colour(silk[balloon][gore % 2 == 0]), cv::FILLED, cv::LINE_AA);
    }
  }
  return canvas;
}

cv::Mat Lighthouse(Random random) {
  cv::Mat canvas = Gradient(640, 880, 0x27496d, 0xf2a65a);
  Clouds(canvas, random, 700, 0.45, 0xe8b7a0);
  Ridge(canvas, random, 640, 6, 300, 0x1c5470);
  for (int wave = 0; wave < 220; ++wave) {
    const double y = random.Between(650, 880), x = random.Between(0, 640);
    Stroke(canvas, {x, y}, {x + 30, y}, 0x3f7f98, 2);
  }
  Shape(canvas, {{250, 880}, {330, 660}, {500, 630}, {640, 690}, {640, 880}}, 0x3a3330);
  Shape(canvas, {{400, 250}, {480, 250}, {510, 650}, {370, 650}}, 0xf4efe6);
  for (int band = 0; band < 4; ++band) {
    const double y = 290 + band * 95, spread = (y - 250) * 0.075;
    Shape(canvas, {{400 - spread, y}, {480 + spread, y}, {484 + spread, y + 46}, {396 - spread, y + 46}},
          0xb8322a);
  }
  Box(canvas, 392, 232, 96, 18, 0x2a2a2e);
  Box(canvas, 410, 180, 60, 54, 0xfff0a8);
  Shape(canvas, {{402, 182}, {478, 182}, {440, 140}}, 0xa02a24);
  Shape(canvas, {{412, 196}, {412, 220}, {-20, 330}, {-20, 170}}, 0xffe9a0);
  Glow(canvas, 440, 206, 210, 0xffe9a0, 0.6);
  Grain(canvas, random, 4);
  return canvas;
}

cv::Mat Windmill(Random random) {
  cv::Mat canvas = Gradient(600, 840, 0xa7d3f0, 0xf3f7ea);
  Clouds(canvas, random, 620, 0.55);
  for (int row = 0; row < 9; ++row) {
    const uint32_t tulips[] = {0xd63a4a, 0xf3c23c, 0x7fae4b, 0xe7719a, 0x5f9340,
                               0xf08a32, 0x6ca045, 0xb84fa0, 0x4f8038};
    Ridge(canvas, random, 600 + row * row * 3.6 + row * 4, 3, 200, tulips[row]);
  }
  Shape(canvas, {{245, 330}, {335, 330}, {375, 640}, {205, 640}}, 0x7a4a34);
  Shape(canvas, {{240, 332}, {340, 332}, {318, 270}, {262, 270}}, 0x38302c);
  Box(canvas, 270, 560, 40, 80, 0x2f2420);
  Box(canvas, 275, 420, 30, 40, 0xe9e2cf);
  for (int sail = 0; sail < 4; ++sail) {
    const double angle = 0.45 + sail * CV_PI / 2, cosine = std::cos(angle), sine = std::sin(angle);
    const cv::Point2d hub(290, 310), tip(290 + 230 * cosine, 310 + 230 * sine), side(-sine * 40, cosine * 40);
    const cv::Point2d root = hub + 0.2 * (tip - hub);
    Shape(canvas, {root, tip, tip + side, root + side}, 0xf6f1e2);
    for (int slat = 0; slat <= 8; ++slat)
      Stroke(canvas, root + slat / 8.0 * (tip - root), root + slat / 8.0 * (tip - root) + side, 0x6d5a48, 2);
    Stroke(canvas, hub, tip, 0x3a2c24, 7);
  }
  Disc(canvas, 290, 310, 13, 0x231b17);
  Grain(canvas, random, 3);
  return canvas;
}

cv::Mat Skyline(Random random) {
  cv::Mat canvas = Gradient(960, 540, 0x04060f, 0x141c33);
  for (int star = 0; star < 130; ++star)
    Disc(canvas, random.Between(0, 960), random.Between(0, 260), random.Between(0.5, 1.6), 0x5a6078);
  Disc(canvas, 150, 100, 34, 0x6a6a5c);
  for (double x = -10; x < 960;) {
    const double width = random.Between(50, 110), height = random.Between(110, 380);
    Box(canvas, x, 540 - height, width, height, 0x070a14);
    for (double y = 556 - height; y < 520; y += 20) {
      for (double window = x + 8; window < x + width - 12; window += 18) {
        if (random.Pick(5) < 2) Box(canvas, window, y, 8, 11, random.Pick(4) == 0 ? 0x2f3d52 : 0x6b5526);
      }
    }
    x += width + random.Between(-4, 12);
  }
  Grain(canvas, random, 2);
  return canvas;
}

cv::Mat Meadow(Random random) {
  cv::Mat canvas = Gradient(880, 640, 0x9ccc65, 0x33691e);
  Tint(canvas, 0x558b2f, Noise(random, 880, 640, 90, 6));
  for (int blade = 0; blade < 1500; ++blade) {
    const double x = random.Between(0, 880), y = random.Between(0, 680), lean = random.Between(-14, 14);
    Stroke(canvas, {x, y}, {x + lean, y - random.Between(20, 50)}, random.Pick(2) == 0 ? 0x7cb342 : 0x2e5d1a,
           2);
  }
  const uint32_t petals[] = {0xffffff, 0xffd54f, 0xef5350, 0xba68c8, 0x64b5f6};
  for (int flower = 0; flower < 70; ++flower) {
    const double x = random.Between(0, 880), y = random.Between(0, 640), size = 5 + y * 0.024;
    const uint32_t colour = petals[random.Pick(5)];
    for (int petal = 0; petal < 6; ++petal)
      Disc(canvas, x + size * std::cos(petal * CV_PI / 3), y + size * std::sin(petal * CV_PI / 3),
           size * 0.62, colour);
    Disc(canvas, x, y, size * 0.5, 0xf9a825);
  }
  Grain(canvas, random, 3);
  return canvas;
}

}  // namespace sample
