#include "picture.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CELLS 64u
#define BARS 32u
#define NOISE_ROWS 61u /* a prime, so that rows do not repeat their neighbours from picture to picture */
#define DIGITS 8u

struct rect {
  uint32_t x, y, width, height;
};

struct pf_picture {
  uint32_t width, height, content;
  uint32_t strips_end; /* first row below the strips */
  uint32_t *pixels[2];
  uint32_t current;
  uint32_t random;
  /* MOTION */
  uint32_t *sky;         /* colour of each row */
  uint8_t *emblem;       /* emblem_side² coverages */
  uint32_t emblem_side;
  struct rect emblem_at[2]; /* where each picture has it now */
  struct rect bars, digits;
  /* NOISE: a pool of random pixels. TEXT: the sheet that scrolls. */
  uint32_t *sheet;
  uint32_t sheet_rows;
};

uint32_t pf_picture_abi(void) { return PF_PICTURE_ABI; }

static uint32_t next_random(uint32_t *state) {
  *state ^= *state << 13;
  *state ^= *state >> 17;
  *state ^= *state << 5;
  return *state;
}

static uint32_t colour(double red, double green, double blue) {
  return (uint32_t)lrint(red) << 16 | (uint32_t)lrint(green) << 8 | (uint32_t)lrint(blue);
}

static void fill_row(uint32_t *row, uint32_t count, uint32_t value) {
  for (uint32_t x = 0; x < count; x++) row[x] = value;
}

static uint32_t *row_of(const struct pf_picture *picture, uint32_t *pixels, uint32_t y) {
  return pixels + (size_t)y * picture->width;
}

/* ---- strips ---- */

static uint64_t time_strip(uint64_t time_us) {
  const uint64_t time = time_us / 100 & 0xFFFFFFFFFFFull;
  const uint64_t sum = (time & 0x7FF) + (time >> 11 & 0x7FF) + (time >> 22 & 0x7FF) + (time >> 33 & 0x7FF);
  return 0xAull << 60 | time << 16 | (sum & 0xFFF) << 4 | 0x5;
}

static uint64_t counter_strip(uint32_t counter) {
  const uint64_t value = counter & 0xFFFFFF;
  const uint64_t sum = (value & 0xFF) + (value >> 8 & 0xFF) + (value >> 16);
  return 0xAull << 60 | value << 36 | (sum & 0xFF) << 28 | 0x5555555;
}

/* The first column whose middle lies in `cell`: a reader looks at the column in which the cell's own middle lies. */
static uint32_t cell_start(const struct pf_picture *picture, uint32_t cell) {
  return (cell * picture->width + CELLS / 2 - 1) / CELLS;
}

static void draw_strip(const struct pf_picture *picture, uint32_t *pixels, uint32_t from, uint32_t to, uint64_t bits) {
  uint32_t *first = row_of(picture, pixels, from);
  for (uint32_t cell = 0; cell < CELLS; cell++) {
    const uint32_t start = cell_start(picture, cell), end = cell_start(picture, cell + 1);
    fill_row(first + start, end - start, bits >> (CELLS - 1 - cell) & 1 ? 0xFFFFFF : 0);
  }
  for (uint32_t y = from + 1; y < to; y++) memcpy(row_of(picture, pixels, y), first, 4 * (size_t)picture->width);
}

/* ---- motion ---- */

static void fill_sky(struct pf_picture *picture) {
  static const double stops[4][3] = {{16, 20, 54}, {70, 48, 112}, {206, 96, 104}, {250, 180, 108}};
  for (uint32_t y = 0; y < picture->height; y++) {
    const double at = 3.0 * y / picture->height;
    const int stop = at < 2.0 ? (int)at : 2;
    const double part = at - stop;
    double mixed[3];
    for (int i = 0; i < 3; i++) mixed[i] = stops[stop][i] * (1.0 - part) + stops[stop + 1][i] * part;
    picture->sky[y] = colour(mixed[0], mixed[1], mixed[2]);
  }
}

/* Coverage of a pixel whose signed distance to an edge is `distance`, inside negative. */
static double coverage(double distance) { return distance < -0.5 ? 1.0 : distance > 0.5 ? 0.0 : 0.5 - distance; }

/* A ring around a triangle that points right. */
static void fill_emblem(struct pf_picture *picture) {
  const double side = picture->emblem_side, radius = side / 2.0 - 1.0, ring = side / 12.0, tip = radius * 0.46;
  for (uint32_t y = 0; y < picture->emblem_side; y++) {
    for (uint32_t x = 0; x < picture->emblem_side; x++) {
      const double dx = x + 0.5 - side / 2.0, dy = y + 0.5 - side / 2.0;
      const double from_ring = fabs(sqrt(dx * dx + dy * dy) - (radius - ring / 2.0)) - ring / 2.0;
      /* The triangle is where all three of its edges are behind: x = -tip/2 and two slanted ones through (tip, 0). */
      const double slanted = (dx - tip) * 0.5 + fabs(dy) * 0.8660254;
      const double from_triangle = fmax(-tip / 2.0 - dx, slanted);
      picture->emblem[y * picture->emblem_side + x] = (uint8_t)lrint(255.0 * coverage(fmin(from_ring, from_triangle)));
    }
  }
}

static void restore_sky(const struct pf_picture *picture, uint32_t *pixels, struct rect area) {
  for (uint32_t y = area.y; y < area.y + area.height; y++) {
    fill_row(row_of(picture, pixels, y) + area.x, area.width, picture->sky[y]);
  }
}

static uint32_t blend(uint32_t under, uint32_t over, uint32_t alpha) {
  const uint32_t keep = 255 - alpha;
  const uint32_t red_blue = ((under & 0xFF00FF) * keep + (over & 0xFF00FF) * alpha) >> 8 & 0xFF00FF;
  const uint32_t green = ((under & 0x00FF00) * keep + (over & 0x00FF00) * alpha) >> 8 & 0x00FF00;
  return red_blue | green;
}

/* Where something that runs to and fro between 0 and range is at `distance`. */
static uint32_t bounce(uint64_t distance, uint32_t range) {
  if (range == 0) return 0;
  const uint32_t at = (uint32_t)(distance % (2ull * range));
  return at < range ? at : 2 * range - at;
}

static void draw_emblem(struct pf_picture *picture, uint32_t *pixels, uint32_t counter) {
  const uint32_t side = picture->emblem_side, step = 1 + picture->height / 270;
  const struct rect at = {.x = bounce((uint64_t)counter * step, picture->width - side),
                          .y = picture->strips_end +
                               bounce((uint64_t)counter * step * 2 / 3, picture->bars.y - picture->strips_end - side),
                          .width = side,
                          .height = side};
  for (uint32_t y = 0; y < side; y++) {
    uint32_t *row = row_of(picture, pixels, at.y + y) + at.x;
    const uint8_t *alpha = picture->emblem + y * side;
    for (uint32_t x = 0; x < side; x++) {
      if (alpha[x] != 0) row[x] = blend(row[x], 0xFFF4E0, alpha[x]);
    }
  }
  picture->emblem_at[picture->current] = at;
}

static void draw_bars(const struct pf_picture *picture, uint32_t *pixels, uint32_t counter) {
  const struct rect area = picture->bars;
  restore_sky(picture, pixels, area);
  for (uint32_t bar = 0; bar < BARS; bar++) {
    const double wave = sin(counter * 0.06 + bar * 0.55) + 0.6 * sin(counter * 0.11 - bar * 0.31);
    const uint32_t height = (uint32_t)(area.height * (0.5 + 0.28 * wave));
    const uint32_t start = bar * area.width / BARS, end = (bar + 1) * area.width / BARS;
    const uint32_t gap = (end - start) / 5;
    const uint32_t shade = colour(40 + 3.0 * bar, 28 + 1.0 * bar, 84 + 2.0 * bar);
    for (uint32_t y = area.height - height; y < area.height; y++) {
      fill_row(row_of(picture, pixels, area.y + y) + start, end - start - gap, shade);
    }
  }
}

static void fill_rect(const struct pf_picture *picture, uint32_t *pixels, struct rect area, uint32_t value) {
  for (uint32_t y = area.y; y < area.y + area.height; y++) {
    fill_row(row_of(picture, pixels, y) + area.x, area.width, value);
  }
}

/* Seven segments: bits 0…6 are top, upper right, lower right, bottom, lower left, upper left, middle. */
static void draw_digits(const struct pf_picture *picture, uint32_t *pixels, uint32_t counter) {
  static const uint8_t segments[10] = {0x3F, 0x06, 0x5B, 0x4F, 0x66, 0x6D, 0x7D, 0x07, 0x7F, 0x6F};
  const struct rect area = picture->digits;
  const uint32_t pitch = area.width / DIGITS, thick = 1 + area.height / 10;
  const uint32_t width = pitch * 3 / 4, half = (area.height - thick) / 2;
  restore_sky(picture, pixels, area);
  for (uint32_t digit = DIGITS; digit-- > 0; counter /= 10) {
    const uint32_t x = area.x + digit * pitch, y = area.y, right = x + width - thick;
    const struct rect bars[7] = {{x, y, width, thick},
                                 {right, y, thick, half + thick},
                                 {right, y + half, thick, half + thick},
                                 {x, y + 2 * half, width, thick},
                                 {x, y + half, thick, half + thick},
                                 {x, y, thick, half + thick},
                                 {x, y + half, width, thick}};
    for (uint32_t i = 0; i < 7; i++) {
      if (segments[counter % 10] >> i & 1) fill_rect(picture, pixels, bars[i], 0xE8DCF0);
    }
  }
}

static void draw_motion(struct pf_picture *picture, uint32_t *pixels, uint32_t counter) {
  restore_sky(picture, pixels, picture->emblem_at[picture->current]);
  draw_digits(picture, pixels, counter);
  draw_emblem(picture, pixels, counter);
  draw_bars(picture, pixels, counter);
}

static int prepare_motion(struct pf_picture *picture) {
  const uint32_t width = picture->width, height = picture->height;
  picture->emblem_side = height / 6 < width / 3 ? height / 6 : width / 3;
  picture->bars = (struct rect){.x = 0, .y = height * 3 / 4, .width = width, .height = height - height * 3 / 4};
  const uint32_t digit_height = height / 16 < width / 12 ? height / 16 : width / 12;
  picture->digits = (struct rect){.x = width / 40,
                                  .y = picture->strips_end + height / 40,
                                  .width = digit_height * 3 / 4 * DIGITS,
                                  .height = digit_height};
  picture->sky = malloc(4 * (size_t)height);
  picture->emblem = malloc((size_t)picture->emblem_side * picture->emblem_side);
  if (picture->sky == NULL || picture->emblem == NULL) return PF_PICTURE_ENOMEM;
  fill_sky(picture);
  fill_emblem(picture);
  for (int i = 0; i < 2; i++) {
    for (uint32_t y = 0; y < height; y++) fill_row(row_of(picture, picture->pixels[i], y), width, picture->sky[y]);
  }
  return PF_PICTURE_OK;
}

/* ---- noise ---- */

static int prepare_noise(struct pf_picture *picture) {
  picture->sheet_rows = NOISE_ROWS;
  const size_t count = (size_t)picture->width * (NOISE_ROWS + 1);
  picture->sheet = malloc(4 * count);
  if (picture->sheet == NULL) return PF_PICTURE_ENOMEM;
  for (size_t i = 0; i < count; i++) picture->sheet[i] = next_random(&picture->random) >> 8;
  return PF_PICTURE_OK;
}

/* Each row starts somewhere else in the pool, so that no block can be found again in the picture before. */
static void draw_noise(struct pf_picture *picture, uint32_t *pixels) {
  const uint32_t starts = picture->width * NOISE_ROWS;
  for (uint32_t y = picture->strips_end; y < picture->height; y++) {
    memcpy(row_of(picture, pixels, y), picture->sheet + next_random(&picture->random) % starts,
           4 * (size_t)picture->width);
  }
}

/* ---- text ---- */

/* One line: words of 2…9 glyphs; a glyph is 5×7 random dots of scale² pixels, the same 48 over and over. */
static void write_line(struct pf_picture *picture, const uint64_t glyphs[48], uint32_t top, uint32_t scale) {
  const uint32_t ink = next_random(&picture->random) % 6 == 0 ? 0x2858A8 : 0x202428;
  uint32_t x = scale * 4, left_in_word = 2 + next_random(&picture->random) % 8;
  const uint32_t end = picture->width / 2 + next_random(&picture->random) % (picture->width / 2);
  while (x + 6 * scale < end) {
    if (left_in_word == 0) {
      left_in_word = 2 + next_random(&picture->random) % 8;
      x += 4 * scale;
      continue;
    }
    const uint64_t glyph = glyphs[next_random(&picture->random) % 48];
    for (uint32_t dot = 0; dot < 35; dot++) {
      if ((glyph >> dot & 1) == 0) continue;
      for (uint32_t y = 0; y < scale; y++) {
        uint32_t *row = picture->sheet + (size_t)(top + dot / 5 * scale + y) * picture->width;
        fill_row(row + x + dot % 5 * scale, scale, ink);
      }
    }
    left_in_word--;
    x += 6 * scale;
  }
}

static int prepare_text(struct pf_picture *picture) {
  const uint32_t scale = 1 + picture->height / 720, line = 11 * scale;
  picture->sheet_rows = (picture->height - picture->strips_end + line - 1) / line * line;
  const size_t count = (size_t)picture->width * picture->sheet_rows;
  picture->sheet = malloc(4 * count);
  if (picture->sheet == NULL) return PF_PICTURE_ENOMEM;
  for (size_t i = 0; i < count; i++) picture->sheet[i] = 0xF4F2EC;
  uint64_t glyphs[48];
  for (int i = 0; i < 48; i++) {
    glyphs[i] = ((uint64_t)next_random(&picture->random) << 32 | next_random(&picture->random)) & 0x7FFFFFFFF;
  }
  for (uint32_t top = 2 * scale; top + line <= picture->sheet_rows + 2 * scale; top += line) {
    if (next_random(&picture->random) % 7 != 0) write_line(picture, glyphs, top, scale);
  }
  return PF_PICTURE_OK;
}

static void draw_text(struct pf_picture *picture, uint32_t *pixels, uint32_t counter) {
  const uint32_t step = 1 + picture->height / 360;
  uint32_t from = (uint32_t)((uint64_t)counter * step % picture->sheet_rows);
  for (uint32_t y = picture->strips_end; y < picture->height; y++) {
    memcpy(row_of(picture, pixels, y), picture->sheet + (size_t)from * picture->width, 4 * (size_t)picture->width);
    if (++from == picture->sheet_rows) from = 0;
  }
}

/* ---- interface ---- */

static int prepare(struct pf_picture *picture) {
  const size_t size = 4 * (size_t)picture->width * picture->height;
  for (int i = 0; i < 2; i++) {
    picture->pixels[i] = calloc(1, size);
    if (picture->pixels[i] == NULL) return PF_PICTURE_ENOMEM;
  }
  switch (picture->content) {
    case PF_PICTURE_NOISE: return prepare_noise(picture);
    case PF_PICTURE_TEXT: return prepare_text(picture);
    default: return prepare_motion(picture);
  }
}

int32_t pf_picture_open(const struct pf_picture_config *config, size_t config_len, struct pf_picture **out) {
  if (out == NULL) return PF_PICTURE_EINVAL;
  *out = NULL;
  if (config == NULL || config_len != sizeof *config || config->width < PF_PICTURE_SIDE_MIN ||
      config->width > PF_PICTURE_SIDE_MAX || config->height < PF_PICTURE_SIDE_MIN ||
      config->height > PF_PICTURE_SIDE_MAX || config->content > PF_PICTURE_TEXT) {
    return PF_PICTURE_EINVAL;
  }
  struct pf_picture *picture = calloc(1, sizeof *picture);
  if (picture == NULL) return PF_PICTURE_ENOMEM;
  picture->width = config->width;
  picture->height = config->height;
  picture->content = config->content;
  picture->strips_end = config->height / 6;
  picture->random = 0x9E3779B9;
  const int32_t status = prepare(picture);
  if (status != PF_PICTURE_OK) {
    pf_picture_close(picture);
    return status;
  }
  *out = picture;
  return PF_PICTURE_OK;
}

int32_t pf_picture_draw(struct pf_picture *picture, uint64_t time_us, uint32_t counter,
                        struct pf_picture_frame *frame, size_t frame_len) {
  if (picture == NULL || frame == NULL || frame_len != sizeof *frame) return PF_PICTURE_EINVAL;
  picture->current ^= 1;
  uint32_t *pixels = picture->pixels[picture->current];
  switch (picture->content) {
    case PF_PICTURE_NOISE: draw_noise(picture, pixels); break;
    case PF_PICTURE_TEXT: draw_text(picture, pixels, counter); break;
    default: draw_motion(picture, pixels, counter); break;
  }
  const uint32_t middle = picture->height / 12;
  draw_strip(picture, pixels, 0, middle, time_strip(time_us));
  draw_strip(picture, pixels, middle, picture->strips_end, counter_strip(counter));
  *frame = (struct pf_picture_frame){.data = (const uint8_t *)pixels,
                                     .size = 4ull * picture->width * picture->height,
                                     .stride = 4 * picture->width};
  return PF_PICTURE_OK;
}

void pf_picture_close(struct pf_picture *picture) {
  if (picture == NULL) return;
  free(picture->pixels[0]);
  free(picture->pixels[1]);
  free(picture->sky);
  free(picture->emblem);
  free(picture->sheet);
  free(picture);
}

uint64_t pf_picture_now_us(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000u + (uint64_t)time.tv_nsec / 1000u;
}

int32_t pf_picture_sleep_until(uint64_t deadline_us) {
  const uint64_t now_us = pf_picture_now_us();
  if (deadline_us > now_us + PF_PICTURE_SLEEP_MS_MAX * 1000ull) return PF_PICTURE_EINVAL;
  const struct timespec deadline = {.tv_sec = (time_t)(deadline_us / 1000000u),
                                    .tv_nsec = (long)(deadline_us % 1000000u * 1000u)};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &deadline, NULL) == EINTR) {
  }
  return PF_PICTURE_OK;
}
